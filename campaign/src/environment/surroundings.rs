//! Odd surroundings in which every command is run.

/// Surroundings: what a shell does before it becomes the program, and what is in the environment.
#[derive(Default)]
pub struct Surroundings {
    /// Their name in ids.
    pub name: &'static str,
    /// Shell commands before `"$@"`. A shell that ends with 77 cannot make them here.
    pub before: &'static str,
    /// Shell commands after it, where the shell has to stay.
    pub after: &'static str,
    /// Variables; an empty value is set, not removed.
    pub variables: &'static [(&'static str, &'static str)],
    /// What the shell is started by, such as `unshare -m`.
    pub starter: &'static [&'static str],
    /// Nobody reads stdout.
    pub unread: bool,
    /// stderr cannot be read, so that no sentence is expected.
    pub silent: bool,
    /// Signals that may end the process: those of the system's own limits.
    pub signals: &'static [i32],
    /// There is too little memory for the program to run at all: it may end with the sentence of a failed allocation.
    pub cramped: bool,
    /// Nothing is odd: every command must succeed.
    pub ordinary: bool,
}

/// All of them.
pub fn all() -> Vec<Surroundings> {
    let ordinary = Surroundings { name: "ordinary", ordinary: true, ..Surroundings::default() };
    let unread = Surroundings { name: "stdout-unread", unread: true, ..Surroundings::default() };
    let mut all = vec![ordinary, unread];
    all.extend(STREAMS.iter().map(|&(name, before, silent)| Surroundings { name, before, silent, ..Surroundings::default() }));
    all.extend(LIMITS.iter().map(|&(name, before, signals)| {
        let cramped = name.starts_with("memory-");
        Surroundings { name, before, signals, cramped, ..Surroundings::default() }
    }));
    all.extend(VARIABLES.iter().map(|&(name, variables)| Surroundings { name, variables, ..Surroundings::default() }));
    all.extend(FOLDERS.iter().map(|&(name, before)| Surroundings { name, before, ..Surroundings::default() }));
    let mounted =
        |name, before, after| Surroundings { name, before, after, starter: &["unshare", "-m"], ..Surroundings::default() };
    all.push(mounted("read-only", "mount --bind . . && mount -o remount,ro,bind . || exit 77; cd \"$PWD\"", ""));
    all.push(mounted("no-proc", "mount -t tmpfs none /proc || exit 77", ""));
    for (name, before) in FULL {
        all.push(mounted(name, before, "code=$?; rm -f fill; cp -a . \"$OUT\"; exit $code"));
    }
    all.push(Surroundings { name: "process-1", starter: &["unshare", "-p", "-f", "--kill-child"], ..Surroundings::default() });
    all
}

/// A small disk with that much room, in which the program works; what is there at the end is copied to `$OUT`.
const FULL: &[(&str, &str)] = &[
    (
        "disk-full",
        "ROOM=1; mkdir ../full; mount -t tmpfs -o size=64m none ../full || exit 77; cp -a . ../full; cd ../full; head -c $ROOM /dev/zero >room; cat /dev/zero >fill 2>/dev/null; rm room",
    ),
    (
        "disk-of-20k",
        "ROOM=20000; mkdir ../full; mount -t tmpfs -o size=64m none ../full || exit 77; cp -a . ../full; cd ../full; head -c $ROOM /dev/zero >room; cat /dev/zero >fill 2>/dev/null; rm room",
    ),
    (
        "disk-of-80k",
        "ROOM=80000; mkdir ../full; mount -t tmpfs -o size=64m none ../full || exit 77; cp -a . ../full; cd ../full; head -c $ROOM /dev/zero >room; cat /dev/zero >fill 2>/dev/null; rm room",
    ),
];

/// `(name, before, silent)`.
const STREAMS: &[(&str, &str, bool)] = &[
    ("stdin-closed", "exec 0<&-", false),
    ("stdout-closed", "exec 1>&-", false),
    ("stderr-closed", "exec 2>&-", true),
    ("all-closed", "exec 0<&- 1>&- 2>&-", true),
    ("stdout-full", "exec 1>/dev/full", false),
    ("stderr-full", "exec 2>/dev/full", true),
    ("both-full", "exec 1>/dev/full 2>/dev/full", true),
];

/// `(name, before, signals)`. With fewer than four files the system cannot load any program. Numbers of `-v` and `-s` are KiB, of `-f` 512 bytes. Signal 24 is SIGXCPU.
const LIMITS: &[(&str, &str, &[i32])] = &[
    ("memory-60m", "ulimit -v 60000", &[]),
    ("memory-120m", "ulimit -v 120000", &[]),
    ("memory-200m", "ulimit -v 200000", &[]),
    ("memory-400m", "ulimit -v 400000", &[]),
    ("files-4", "ulimit -n 4", &[]),
    ("files-6", "ulimit -n 6", &[]),
    ("files-10", "ulimit -n 10", &[]),
    ("files-20", "ulimit -n 20", &[]),
    ("file-size-0", "ulimit -f 0", &[]),
    ("file-size-1", "ulimit -f 1", &[]),
    ("file-size-64", "ulimit -f 64", &[]),
    ("seconds-1", "ulimit -t 1", &[24, 9]),
    ("stack-128k", "ulimit -s 128", &[]),
    ("locked-0", "ulimit -l 0", &[]),
    // Only a user other than root is held to a number of processes.
    (
        "processes-1",
        "command -v setpriv >/dev/null && [ \"$(id -u)\" = 0 ] || exit 77; chmod -R a+rwX . ; ulimit -u 1; set -- setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"",
        &[],
    ),
];

/// `(name, variables)`.
const VARIABLES: &[(&str, &[(&str, &str)])] = &[
    ("home-missing", &[("HOME", "/nonexistent"), ("XDG_CACHE_HOME", "/nonexistent/cache")]),
    ("home-empty", &[("HOME", ""), ("XDG_CACHE_HOME", ""), ("XDG_CONFIG_HOME", "")]),
    ("home-relative", &[("HOME", "../.."), ("XDG_CACHE_HOME", "relative")]),
    ("cache-is-a-device", &[("XDG_CACHE_HOME", "/dev/null")]),
    ("locale", &[("LC_ALL", "xx_YY.bogus"), ("LANG", "\u{7f}"), ("LANGUAGE", "zz")]),
    ("tmpdir-missing", &[("TMPDIR", "/nonexistent")]),
    ("terminal", &[("TERM", "bogus"), ("COLUMNS", "0"), ("LINES", "-1"), ("CLICOLOR_FORCE", "1")]),
    ("backtrace", &[("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "1"), ("RUST_LOG", "trace")]),
    ("isa-bogus", &[("MAOBI_ISA", "bogus")]),
    ("isa-scalar", &[("MAOBI_ISA", "scalar")]),
    ("data-missing", &[("MAOBI_DATA_DIR", "/nonexistent")]),
    ("data-empty", &[("MAOBI_DATA_DIR", "")]),
    ("data-is-a-file", &[("MAOBI_DATA_DIR", "model.keras")]),
    ("proxy-bogus", &[("HTTPS_PROXY", "::not a proxy::"), ("ALL_PROXY", "gopher://x"), ("HTTP_PROXY", "")]),
];

/// `(name, before)`.
const FOLDERS: &[(&str, &str)] = &[
    (
        "no-environment",
        "set -- env -i MAOBI_DATA_DIR=\"$MAOBI_DATA_DIR\" HTTPS_PROXY=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 \"$@\"",
    ),
    ("folder-deleted", "mkdir ../gone; cd ../gone; rmdir ../gone"),
    (
        "folder-of-4000-bytes",
        "from=$PWD; cd ..; i=0; while [ $i -lt 19 ]; do d=$(printf '%0200d' $i); mkdir -p $d; cd $d || exit 77; i=$((i+1)); done; cp -a \"$from\"/. .",
    ),
    ("folder-not-utf-8", "d=$(printf 'x\\377y'); mkdir ../$d; cp -a . ../$d; cd ../$d"),
    ("folder-of-odd-letters", "d=$(printf '; rm\\t\\033[2J \"quoted\" *'); mkdir \"../$d\"; cp -a . \"../$d\"; cd \"../$d\""),
];
