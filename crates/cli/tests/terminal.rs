//! What reaches a terminal: names cannot move the cursor or forge lines, hints can be copied, and closed or full streams, too few
//! threads and limits of the system end with a sentence.

mod common;

use common::{Place, Ran, digit_picture, lines};
use maobi_formats::keras;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, Flatten, InputLayer};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// A name that would clear the screen and forge an error.
const EVIL: &str = "a\u{1b}[2J\nerror: forged\u{202e}";
const SHOWN: &str = "a\\u{1b}[2J\\nerror: forged\\u{202e}";

/// Checks that nothing but line ends is left of control characters.
fn clean(text: &str) {
    assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{text:?}");
}

#[test]
fn names_of_files_classes_and_layers_are_escaped() {
    let place = Place::new();
    let shown = |arguments: &[&str], code: i32| {
        let ran = place.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {} {}", ran.out, ran.err);
        clean(&ran.out);
        clean(&ran.err);
        let all = ran.out + &ran.err;
        assert!(all.contains(SHOWN), "{arguments:?}: {all}");
        all
    };
    // A picture that is there, one that is not, a model, a folder of classes.
    let picture = format!("{EVIL}.png");
    digit_picture(1, 0, 4, true).0.save(place.path(&picture)).unwrap();
    assert_eq!(shown(&["predict", &picture], 0).lines().count(), 1);
    assert_eq!(lines(&place.ok(&["predict", "--json", &picture]))[0]["file"], picture.as_str());
    assert_eq!(shown(&["predict", &format!("no{EVIL}")], 1).lines().count(), 1);
    assert_eq!(shown(&["evaluate", &format!("no{EVIL}")], 1).lines().count(), 1);
    for class in [EVIL, "b"] {
        std::fs::create_dir_all(place.path(&format!("own/{class}"))).unwrap();
        for index in 0..5 {
            digit_picture(1, index, 1, false).0.save(place.path(&format!("own/{class}/{index}.png"))).unwrap();
        }
    }
    shown(&["data", "info", "own"], 0);
    // A layer's name from a model file, in the table and in an error.
    let layers =
        Sequential::new().add(InputLayer::new([28, 28, 1])).add(Flatten::new()).add(Dense::new(10).name(EVIL.replace('/', "")));
    let mut model = layers.build(1).unwrap();
    model.weights_mut()[0].values_mut()[0] = f32::NAN;
    keras::save(&model, &place.path("evil.keras")).unwrap();
    // The table breaks long names.
    let ran = place.run(&["summary", "evil.keras"]);
    clean(&ran.out);
    assert!(ran.code == 0 && ran.out.contains("a\\u{1b}[2J"), "{}", ran.out);
    shown(&["evaluate", "evil.keras"], 1);
    // A recipe: its name, a key, a line that is no TOML.
    std::fs::write(
        place.path("key.toml"),
        "\"a\\u001b[2J\\nerror: forged\\u202e\" = 1\n[[layers]]\ntype = \"Flatten\"\n[training]\nloss = \"mse\"",
    )
    .unwrap();
    assert_eq!(shown(&["train", "key.toml"], 1).lines().count(), 1);
    std::fs::write(place.path("no.toml"), "name = \"x\"\nloss = \u{1b}[2J").unwrap();
    let err = place.fails(&["train", "no.toml"]);
    clean(&err);
    assert!(err.contains("no.toml: is not valid TOML: line 2, column ") && err.lines().count() == 1, "{err}");
}

#[test]
fn arguments_in_usage_errors_are_escaped() {
    let place = Place::new();
    for arguments in [&["train", "--seed", EVIL][..], &["train", &format!("--{EVIL}")], &[EVIL]] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{}", ran.err);
        clean(&ran.err);
        assert!(ran.err.contains(SHOWN), "{}", ran.err);
    }
    for threads in ["0", "100000", "-1", "two"] {
        let ran = place.run(&["train", &format!("--threads={threads}")]);
        assert!(ran.code == 2 && ran.err.contains("--threads"), "{}", ran.err);
    }
}

#[test]
fn commands_in_hints_can_be_copied() {
    let place = Place::new();
    let run = "my run's";
    let out = place.run(&["train", "softmax", "--steps", "2", "--out", run]);
    assert!(out.code == 0 && out.err.contains(r"maobi predict --model 'my run'\''s' PICTURE"), "{}", out.err);
    place.ok(&["train", "tiny-cnn", "--limit", "64", "--epochs", "1", "-q", "--out", "it's"]);
    let fails = |arguments: &[&str], part: &str| {
        let err = place.fails(arguments);
        assert!(err.contains(part), "{arguments:?}: {err}");
    };
    fails(&["train", "tiny-cnn", "--out", "it's"], r"maobi train --resume --out 'it'\''s'");
    std::fs::create_dir(place.path("not it's")).unwrap();
    std::fs::write(place.path("not it's/notes.txt"), "mine").unwrap();
    fails(&["train", "--resume", "--out", "not it's"], r"--out 'not it'\''s'");
    fails(&["evaluate", "not it's"], r"maobi train --out 'not it'\''s'");
    fails(&["train", "my run's/model.keras"], r"--weights 'my run'\''s/model.keras'");
}

#[test]
fn a_reader_that_leaves_ends_the_output_in_silence() {
    let place = Place::new();
    for arguments in [&["summary", "tf2-cnn"][..], &["train", "tiny-cnn", "--limit", "64", "--epochs", "4", "-q", "--json"]] {
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // As `head -1` does it.
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(!first.is_empty());
    }
}

/// Runs a line of a shell, `$MAOBI` being the binary.
#[cfg(unix)]
fn shell(place: &Place, line: &str) -> Ran {
    let mut command = place.command(&[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line]).current_dir(place.dir.path()).env("MAOBI", command.get_program());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    command.stdin(Stdio::null());
    Ran::of(shell.output().unwrap(), &[line])
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_a_failure_with_one_sentence() {
    let place = Place::new();
    digit_picture(1, 0, 4, true).0.save(place.path("a.png")).unwrap();
    for command in [
        "recipes",
        "recipes show softmax",
        "summary softmax",
        "predict a.png",
        "predict a.png --csv -",
        "predict a.png --json",
        "data list",
        "completions bash",
        "--help",
        "train --help",
        "--version",
    ] {
        let ran = shell(&place, &format!("exec \"$MAOBI\" {command} > /dev/full"));
        assert_eq!((ran.code, ran.err.lines().count()), (1, 1), "{command}: {}", ran.err);
        assert!(ran.err.starts_with("error: standard output: "), "{command}: {}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn closed_streams_do_no_harm() {
    let place = Place::new();
    digit_picture(1, 0, 4, true).0.save(place.path("a.png")).unwrap();
    let train = "train softmax --steps 3 --out";
    for (line, code) in [
        ("predict a.png >&-".to_owned(), 0),
        ("predict a.png 2>&-".to_owned(), 0),
        ("predict a.png none.png 2>&-".to_owned(), 1),
        ("predict a.png <&- >&- 2>&-".to_owned(), 0),
        ("predict - <&-".to_owned(), 1),
        (format!("{train} one <&- >&- 2>&-"), 0),
        (format!("{train} two 2> /dev/full"), 0),
        ("nonsense 2>&-".to_owned(), 2),
    ] {
        let ran = shell(&place, &format!("exec \"$MAOBI\" {line}"));
        assert_eq!(ran.code, code, "{line}: {} {}", ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{line}: {}", ran.err);
    }
    assert!(place.path("one/model.keras").is_file() && place.path("two/model.keras").is_file());
}

#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_reported() {
    let place = Place::new();
    // In blocks of 512 bytes: enough for config.toml, too little for a model.
    let ran = shell(&place, "ulimit -f 16; exec \"$MAOBI\" train softmax --steps 3 --out run");
    assert!(ran.code == 1 && ran.err.contains("ulimit -f"), "{}", ran.err);
    assert!(!place.path("run/model.keras").exists());
    let ran = shell(&place, "ulimit -f 1; \"$MAOBI\" completions bash > script");
    assert!(ran.code == 1 && ran.err.starts_with("error: standard output: ") && ran.err.contains("ulimit -f"), "{}", ran.err);
}

#[test]
fn a_system_that_gives_no_threads_gets_a_sentence_or_is_done_without() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        // No thread gets a stack of 128 terabytes.
        let ran = Ran::of(place.command(arguments).env("RUST_MIN_STACK", (1u64 << 47).to_string()).output().unwrap(), arguments);
        assert!(!ran.err.contains("panicked"), "{arguments:?}: {}", ran.err);
        ran
    };
    let picture = |name: &str| digit_picture(1, 0, 4, true).0.save(place.path(name)).unwrap();
    for class in ["a", "b"] {
        std::fs::create_dir_all(place.path(&format!("own/{class}"))).unwrap();
        (0..5).for_each(|index| picture(&format!("own/{class}/{index}.png")));
    }
    for arguments in [
        &["predict", "own"][..],
        &["data", "info", "own"],
        &["data", "info", "mnist"],
        &["data", "info", "builtin"],
        &["evaluate"],
    ] {
        let ran = run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    }
    for arguments in [&["train", "softmax", "--threads", "4", "--steps", "3", "-q"][..], &["serve", "--addr", "127.0.0.1:0"]] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.err.lines().count()), (1, 1), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("thread") || ran.err.contains("Ctrl-C"), "{arguments:?}: {}", ran.err);
    }
}
