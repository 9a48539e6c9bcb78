//! Writes one of each drawing into a folder: `drawings FOLDER`.

use maobi_draw::{Curves, Labelled, Mistake, Panel, Series, confusion_png, curves_png, mistakes_png, preview_png};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).ok_or("usage: drawings FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    let line = |name: &str, values: &[f64]| Series { name: name.into(), values: values.iter().copied().map(Some).collect() };
    let loss = vec![
        line("training", &[0.412, 0.131, 0.089, 0.066, 0.051, 0.043, 0.035, 0.029, 0.024, 0.021]),
        line("validation", &[0.121, 0.079, 0.061, 0.055, 0.049, 0.047, 0.049, 0.046, 0.051, 0.048]),
    ];
    let accuracy = vec![
        line("training", &[0.872, 0.959, 0.973, 0.98, 0.985, 0.987, 0.989, 0.991, 0.993, 0.994]),
        line("validation", &[0.963, 0.975, 0.981, 0.984, 0.985, 0.987, 0.986, 0.988, 0.988, 0.989]),
    ];
    let panels = vec![Panel { title: "Loss".into(), series: loss }, Panel { title: "Accuracy".into(), series: accuracy }];
    let curves = Curves { title: "tf2-cnn".into(), x_label: "epoch".into(), panels };
    std::fs::write(folder.join("curves.png"), curves_png(&curves))?;

    let digits: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    let count = |i: usize, j: usize| if i == j { 970 - 9 * i as u64 } else { ((i * 7 + j * 13) % 11 / 8 * (i + 2 * j)) as u64 };
    let matrix: Vec<Vec<u64>> = (0..10).map(|i| (0..10).map(|j| count(i, j)).collect()).collect();
    std::fs::write(folder.join("confusion.png"), confusion_png(&matrix, &digits))?;
    let names = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
        .map(String::from);
    std::fs::write(folder.join("confusion-names.png"), confusion_png(&matrix, &names))?;

    let ring: Vec<u8> = (0..784)
        .map(|i| {
            let (x, y) = (f64::from(i % 28) - 13.5, f64::from(i / 28) - 13.5);
            ((3.0 - (x.hypot(y * 0.8) - 8.0).abs()).clamp(0.0, 1.0) * 255.0) as u8
        })
        .collect();
    let mistake = |i: usize| Mistake {
        image: &ring,
        height: 28,
        width: 28,
        channels: 1,
        truth: &names[i % 10],
        predicted: if i < 6 { "9" } else { &names[(i * 3 + 1) % 10] },
        probability: 0.5 + 0.04 * i as f32,
    };
    std::fs::write(folder.join("mistakes.png"), mistakes_png(&(0..12).map(mistake).collect::<Vec<_>>()))?;
    let labelled = |i: usize| Labelled { image: &ring, height: 28, width: 28, channels: 1, label: &digits[i % 10] };
    std::fs::write(folder.join("preview.png"), preview_png(&(0..20).map(labelled).collect::<Vec<_>>()))?;
    Ok(())
}
