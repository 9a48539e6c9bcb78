use super::*;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};

/// A "file" is a number, that of the model's outputs, perhaps behind "nan", and then its weights are NaN.
fn load(path: &Path) -> Result<(Model, Option<Preprocessing>), String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (text, nan) = text.trim().strip_prefix("nan").map_or((text.trim(), false), |rest| (rest, true));
    let outputs = text.parse().map_err(|_| format!("{}: no number", path.display()))?;
    let mut model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(outputs)).build(1).unwrap();
    if nan {
        model.weights_mut()[0].values_mut()[3] = f32::NAN;
    }
    Ok((model, None))
}

fn open(sources: &[(&str, &Path)]) -> Result<Models, ModelError> {
    let source = |(name, path): &(&str, &Path)| Source { name: (*name).into(), path: Some(path.to_path_buf()) };
    Models::open(sources.iter().map(source).collect(), Box::new(load))
}

fn outputs(models: &Models, version: Option<u64>) -> Option<usize> {
    models.get("m", version).ok().map(|served| served.outputs[0].len())
}

#[test]
fn the_model_in_the_box_is_served() {
    let models = Models::open(vec![Source { name: "digits".into(), path: None }], Box::new(load)).unwrap();
    let served = models.default_model().unwrap();
    assert_eq!((&*served.name, served.version, models.versions("digits")), ("digits", 1, vec![1]));
    assert!(served.recognizer().unwrap().knows_none() && models.ready());
    assert_eq!(models.get("digit", None).unwrap_err().to_string(), "Servable not found for request: Latest(digit)");
    assert_eq!(models.get("digits", Some(2)).unwrap_err().to_string(), "Servable not found for request: Specific(digits, 2)");
}

#[test]
fn names_fit_into_paths_and_are_given_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    std::fs::write(&file, "1").unwrap();
    for name in ["", "a/b", "a:b", "ü", ".."] {
        assert!(open(&[(name, &file)]).unwrap_err().to_string().contains("cannot be a model's name"), "{name}");
    }
    assert_eq!(
        open(&[("m", &file), ("m", &file)]).unwrap_err().to_string(),
        "two models are called 'm'; give one of them another name: NAME=FILE"
    );
    assert!(open(&[("m", &folder.path().join("none"))]).unwrap_err().to_string().starts_with("model m: "));
}

#[test]
fn a_model_with_nan_is_not_served_and_takes_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    std::fs::write(&file, "nan4").unwrap();
    let refused = open(&[("m", &file)]).unwrap_err().to_string();
    assert!(
        refused.starts_with(&format!("model m: {}: weight kernel of layer \"dense\" holds NaN (value 4 of 8)", file.display())),
        "{refused}"
    );
    std::fs::write(&file, "3").unwrap();
    let (models, log) = (open(&[("m", &file)]).unwrap(), Log::silent());
    std::fs::write(folder.path().join("new"), "nan4").unwrap();
    std::fs::rename(folder.path().join("new"), &file).unwrap();
    models.refresh(&log);
    assert_eq!(outputs(&models, None), Some(3));
    let failures = models.list().next().unwrap().2.failures.load(Relaxed);
    assert_eq!(failures, 1);
}

#[test]
fn a_new_file_takes_over_and_a_bad_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x");
    std::fs::write(&file, "3").unwrap();
    let (models, log) = (open(&[("m", &file)]).unwrap(), Log::silent());
    let old = models.get("m", None).unwrap();
    let write = |text: &str| {
        std::fs::write(folder.path().join("new"), text).unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        models.refresh(&log);
    };
    write("4");
    assert_eq!((outputs(&models, None), old.outputs[0].len()), (Some(4), 3));
    write("bad");
    assert_eq!(outputs(&models, None), Some(4));
    std::fs::remove_file(&file).unwrap();
    models.refresh(&log);
    assert_eq!(outputs(&models, None), Some(4), "a file that is away is on its way");
    write("5");
    assert_eq!(outputs(&models, None), Some(5));
    let (_, _, metrics) = models.list().next().unwrap();
    assert_eq!((metrics.reloads.load(Relaxed), metrics.failures.load(Relaxed)), (2, 1));
}

#[test]
fn folders_of_numbers_are_versions() {
    let folder = tempfile::tempdir().unwrap();
    let version = |number: &str, text: &str| {
        std::fs::create_dir_all(folder.path().join(number)).unwrap();
        std::fs::write(folder.path().join(number).join("model"), text).unwrap();
    };
    version("1", "1");
    version("10", "10");
    version("notes", "x");
    let (models, log) = (open(&[("m", folder.path())]).unwrap(), Log::silent());
    assert_eq!((models.versions("m"), outputs(&models, None), outputs(&models, Some(1))), (vec![1, 10], Some(10), Some(1)));
    version("11", "11");
    std::fs::remove_dir_all(folder.path().join("1")).unwrap();
    models.refresh(&log);
    assert_eq!((models.versions("m"), outputs(&models, None), outputs(&models, Some(1))), (vec![10, 11], Some(11), None));
}

/// The most memory this process has taken, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

/// The network of a file asks for 1.6 GB, its weights are twelve bytes.
#[cfg(target_os = "linux")]
#[test]
fn a_small_file_of_a_huge_network_is_refused_and_takes_no_memory() {
    use maobi_formats::format;

    let load = |path: &Path| {
        let loaded = format::detect(path).and_then(|format| format.load_without_slots(path, 0)).map_err(|e| e.to_string())?;
        Ok((loaded.model, None))
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.safetensors");
    let chain = Sequential::new().name("name_of_the_model").add(InputLayer::new([1]));
    let small = chain.add(Dense::new(3).use_bias(false).name("d")).build(1).unwrap();
    format::by_extension(&file).unwrap().save(&small, &file, &[]).unwrap();
    let source = Source { name: "m".into(), path: Some(file.clone()) };
    let (models, log) = (Models::open(vec![source], Box::new(load)).unwrap(), Log::silent());
    let before = peak();
    // As many bytes as before: what the number grows by, the name gives.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let bytes = std::fs::read(&file).unwrap();
    let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = text(&bytes[8..end]).replace(r#"units\":3"#, r#"units\":400000000"#).replace("name_of_the_model", "name_of_t");
    assert_eq!(header.len(), end - 8);
    std::fs::write(folder.path().join("new"), [&bytes[..8], header.as_bytes(), &bytes[end..]].concat()).unwrap();
    std::fs::rename(folder.path().join("new"), &file).unwrap();
    models.refresh(&log);
    let (_, _, metrics) = models.list().next().unwrap();
    assert_eq!((metrics.reloads.load(Relaxed), metrics.failures.load(Relaxed)), (0, 1));
    let served = models.get("m", None).unwrap();
    assert_eq!(served.model().predict(&[&[1.0]]).unwrap(), small.predict(&[&[1.0]]).unwrap());
    let grown = peak() - before;
    assert!(grown < 800 << 20, "{grown} bytes more");
}
