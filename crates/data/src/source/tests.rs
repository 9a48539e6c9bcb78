use std::fs;

use super::*;
use crate::idx::{Element, Idx};
use crate::npy::Npy;
use crate::progress::Silent;

/// A request that sees nothing of this machine.
fn request(wanted: &str) -> Request<'static> {
    let wanted = wanted.parse().unwrap();
    Request { env_dir: None, cache_dir: None, offline: true, ..Request::new(wanted, &Silent) }
}

/// The four files of a tiny data set, each image filled with `value`.
fn write_idx(dir: &Path, value: u8, spelling: char, gz: bool) {
    fs::create_dir_all(dir).unwrap();
    for (part, count) in [("train", 3), ("t10k", 2)] {
        let images = Idx { element: Element::U8, dims: vec![count, 2, 2], bytes: vec![value; count * 4] };
        let labels = Idx { element: Element::U8, dims: vec![count], bytes: (0..count as u8).collect() };
        for (kind, array) in [("images", images), ("labels", labels)] {
            let rank = array.dims.len();
            let ending = if gz { ".gz" } else { "" };
            let path = dir.join(format!("{part}-{kind}{spelling}idx{rank}-ubyte{ending}"));
            if gz { crate::idx::write_gz(path, &array).unwrap() } else { crate::idx::write(path, &array).unwrap() }
        }
    }
}

fn write_npz(path: &Path) {
    let (x, y) = (Npy::from_u8(&[2, 2, 2], &[5; 8]), Npy::from_i64(&[2], &[0, 1]));
    crate::npz::write(path, &[("x_train", &x), ("y_train", &y), ("x_test", &x), ("y_test", &y)]).unwrap();
}

#[test]
fn wanted_knows_names_from_paths() {
    assert_eq!("mnist".parse(), Ok(Wanted::Name(DatasetName::Mnist)));
    assert_eq!("./mnist".parse(), Ok(Wanted::Path("./mnist".into())));
}

#[test]
fn a_data_dir_is_searched_in_every_spelling() {
    for (folder, spelling, gz) in [("mnist", '-', true), ("mnist", '.', false), ("", '.', true), ("MNIST/raw", '-', false)] {
        let root = tempfile::tempdir().unwrap();
        write_idx(&root.path().join(folder), 9, spelling, gz);
        let found = resolve(&Request { data_dir: Some(root.path().into()), ..request("mnist") }).unwrap();
        assert_eq!((found.origin, found.splits.train.len(), found.splits.test.len()), (Origin::DataDir, 3, 2));
        assert_eq!(found.place.unwrap(), root.path().join(folder));
        assert_eq!((found.splits.test.classes(), found.splits.test.image(1)), (10, &[9u8; 4][..]));
    }
    let root = tempfile::tempdir().unwrap();
    write_npz(&root.path().join("mnist.npz"));
    let found = resolve(&Request { data_dir: Some(root.path().into()), ..request("mnist") }).unwrap();
    assert_eq!((found.place.unwrap(), found.splits.train.classes()), (root.path().join("mnist.npz"), 10));
}

#[test]
fn the_order_is_data_dir_then_environment_then_cache() {
    let roots = [0, 1, 2].map(|_| tempfile::tempdir().unwrap());
    for (value, root) in (1..).zip(&roots) {
        write_idx(&root.path().join("mnist"), value, '-', false);
    }
    let [data, env, cache] = roots.each_ref().map(|root| Some(root.path().to_path_buf()));
    let mut asked = Request { data_dir: data, env_dir: env, cache_dir: cache, ..request("mnist") };
    let first = |asked: &Request<'_>| resolve(asked).map(|found| (found.origin, found.splits.train.image(0)[0])).unwrap();
    assert_eq!(first(&asked), (Origin::DataDir, 1));
    asked.data_dir = None;
    assert_eq!(first(&asked), (Origin::Environment, 2));
    asked.env_dir = Some("nowhere".into());
    assert_eq!(first(&asked), (Origin::Cache, 3));
}

#[test]
fn a_data_dir_without_it_names_the_paths_and_looks_nowhere_else() {
    let (empty, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_idx(&cache.path().join("mnist"), 1, '-', false);
    let asked =
        Request { data_dir: Some(empty.path().into()), cache_dir: Some(cache.path().into()), offline: false, ..request("mnist") };
    let error = resolve(&asked).unwrap_err().to_string().replace(&empty.path().display().to_string(), "DIR");
    assert_eq!(
        error,
        "mnist: not found; looked at DIR/mnist, DIR/train-images-idx3-ubyte(.gz), DIR/train-labels-idx1-ubyte(.gz), \
         DIR/t10k-images-idx3-ubyte(.gz), DIR/t10k-labels-idx1-ubyte(.gz), DIR/mnist.npz. Put train-images-idx3-ubyte, \
         train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (as they are or as .gz), or mnist.npz, \
         into DIR/mnist; or use builtin, which needs no file"
    );
}

#[test]
fn one_missing_file_is_the_one_named() {
    let root = tempfile::tempdir().unwrap();
    write_idx(&root.path().join("mnist"), 1, '-', true);
    fs::remove_file(root.path().join("mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    let error = resolve(&Request { data_dir: Some(root.path().into()), ..request("mnist") }).unwrap_err();
    let DataError::NotFound { tried, .. } = error else { panic!("{error}") };
    assert_eq!(tried[0], root.path().join("mnist/t10k-labels-idx1-ubyte(.gz)"));
}

#[test]
fn the_folder_of_one_data_set_is_not_taken_for_another() {
    let root = tempfile::tempdir().unwrap();
    write_idx(&root.path().join("mnist"), 1, '-', false);
    let inside = Some(root.path().join("mnist"));
    assert!(resolve(&Request { data_dir: inside.clone(), ..request("mnist") }).is_ok());
    assert!(resolve(&Request { data_dir: inside, ..request("fashion-mnist") }).is_err());
}

#[test]
fn without_a_network_one_sentence_says_what_to_put_where() {
    let cache = tempfile::tempdir().unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let asked = Request {
        cache_dir: Some(cache.path().into()),
        offline: false,
        mirrors: Some(vec![format!("http://{address}/")]),
        ..request("fashion-mnist")
    };
    let error = resolve(&asked).unwrap_err().to_string();
    let start = "fashion-mnist: cannot be fetched, no mirror can be reached (http://127.0.0.1:";
    let end = "Put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (as they are \
               or as .gz), or fashion-mnist.npz, into DIR/fashion-mnist and set MAOBI_DATA_DIR=DIR (or give --data-dir DIR); \
               or use builtin, which needs no file";
    assert!(error.starts_with(start) && error.ends_with(end), "{error}");
    let error = resolve(&Request { offline: true, ..asked }).unwrap_err().to_string();
    assert!(error.starts_with("fashion-mnist: not found; looked at ") && error.ends_with(end), "{error}");
}

#[test]
fn paths_of_every_kind() {
    let root = tempfile::tempdir().unwrap();
    let text = |path: &str| root.path().join(path).display().to_string();
    write_npz(&root.path().join("own.npz"));
    let found = resolve(&request(&text("own.npz"))).unwrap();
    assert_eq!((found.origin, found.splits.train.name(), found.splits.train.classes()), (Origin::Path, "own", 2));
    write_idx(&root.path().join("idx"), 7, '.', true);
    let found = resolve(&request(&text("idx"))).unwrap();
    assert_eq!((found.splits.train.name(), found.splits.train.class_names().len()), ("idx", 3));
    fs::create_dir_all(root.path().join("pictures/a")).unwrap();
    for i in 0..2 {
        image::GrayImage::new(5, 5).save(root.path().join(format!("pictures/a/{i}.png"))).unwrap();
    }
    let found = resolve(&request(&text("pictures"))).unwrap();
    assert_eq!((found.splits.test.shape(), found.splits.test.len()), ([28, 28, 1], 1));
    let error = resolve(&request(&text("none"))).unwrap_err().to_string();
    assert!(error.contains("Give a name (mnist, fashion-mnist, builtin), a folder"), "{error}");
    fs::write(root.path().join("a.csv"), "1,2").unwrap();
    assert!(resolve(&request(&text("a.csv"))).unwrap_err().to_string().contains("give a FILE.npz"));
}

#[test]
fn labels_and_images_must_be_of_one_number() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("mnist");
    write_idx(&dir, 7, '-', false);
    let asked = Request { data_dir: Some(root.path().into()), ..request("mnist") };
    let write = |bytes: Vec<u8>| {
        let labels = Idx { element: Element::U8, dims: vec![bytes.len()], bytes };
        crate::idx::write(dir.join("train-labels-idx1-ubyte"), &labels).unwrap();
    };
    write(vec![1; 4]);
    let error = resolve(&asked).unwrap_err().to_string();
    assert!(error.ends_with("train-images-idx3-ubyte: expected 4 images, one for each label, found 3"), "{error}");
    write(vec![1, 2, 10]);
    let error = resolve(&asked).unwrap_err().to_string();
    assert!(error.ends_with("train-labels-idx1-ubyte: expected labels below 10, found 10"), "{error}");
}

#[test]
fn builtin_parts_are_by_different_writers_and_repeat() {
    let size = BuiltinSize { seed: 3, train: 25, test: 20 };
    let asked = Request { builtin: size, ..request("builtin") };
    let found = resolve(&asked).unwrap();
    assert_eq!((found.origin, found.splits.train.len(), found.splits.test.len()), (Origin::Builtin, 25, 20));
    assert_eq!(found.splits.test.image(0), builtin::digit(3, 30).0);
    assert!(found.splits.train.iter().eq(resolve(&asked).unwrap().splits.train.iter()));
}

#[test]
fn the_true_mnist_has_its_known_statistics() {
    if maobi_testing::data("").is_none() {
        return;
    }
    for (name, mean) in [(DatasetName::Mnist, 33.318_421), (DatasetName::FashionMnist, 72.940_352)] {
        let asked = Request { offline: true, ..Request::new(Wanted::Name(name), &Silent) };
        let found = match resolve(&asked) {
            Err(DataError::NotFound { .. }) => {
                maobi_testing::skip(&format!("needs {name}; not in MAOBI_DATA_DIR"));
                continue;
            }
            other => other.unwrap(),
        };
        assert_eq!((found.splits.train.len(), found.splits.test.len()), (60_000, 10_000));
        let statistics = found.splits.train.statistics();
        // Published to eight digits (0.13066048 and 0.28604060 of 255).
        assert!((statistics.mean - mean).abs() < 1e-5, "{name}: {}", statistics.mean);
        assert_eq!((statistics.min, statistics.max, statistics.looks_inverted()), (0, 255, false));
    }
}
