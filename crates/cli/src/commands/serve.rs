//! `maobi serve`.

use crate::exit::Exit;
use crate::output::Console;
use crate::run::{self, Network};
use anyhow::{Context, bail};
use maobi_nn::Model;
use maobi_recognize::Preprocessing;
use maobi_serve::{Form, Log, Models, Options, Requests, Server, Signal, Source, is_name};
use std::io::Write;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `maobi serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A model file or run folder, under a name of your own or that of the file; or a folder that holds one folder for each version,
    /// named by its number, as TF Serving has them [default: the model in the box, as digits]
    #[arg(value_name = "[NAME=]MODEL")]
    models: Vec<String>,

    #[command(flatten)]
    network: Network,

    /// Where to listen; port 0 takes any that is free. Only this machine can ask at 127.0.0.1, every machine at 0.0.0.0.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8501")]
    addr: String,

    /// Threads that predict [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: Option<u64>,

    /// Most samples that go through a network together.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=4096))]
    max_batch: u64,

    /// How long a request waits for others to share its batch; with 0, whatever has come while a batch ran is the next one.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    max_wait_us: u64,

    /// Requests that may wait for a model; those beyond are answered 503.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    queue: u64,

    /// Longest time a request may wait before work on it begins, in milliseconds; then it is answered 504.
    #[arg(long, value_name = "MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    timeout_ms: u64,

    /// Longest time a client may take to send the head of a request, then its body, and then to take its answer (or another megabyte
    /// of a larger one), in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    read_timeout_ms: u64,

    /// Largest body of a request, in megabytes.
    #[arg(long, value_name = "MB", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_body_mb: u64,

    /// Memory that connections, requests and unsent answers may take together, in megabytes; what goes beyond is answered 503. One request
    /// of the largest size always has room.
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    memory_mb: u64,

    /// Largest picture, in megapixels.
    #[arg(long, value_name = "MP", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    max_megapixels: u64,

    /// Memory that all pictures in work share, in megabytes. A picture that needs more alone is answered 413; one that gets no share in
    /// time is answered 503 [default: 512, or 128 for each core if that is more]
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    picture_memory_mb: Option<u64>,

    /// How often to look whether files of models have changed, in milliseconds; 0 never.
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=86_400_000))]
    reload_ms: u64,

    /// Let pages of this origin ask, such as http://localhost:3000, or * for all; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    cors: Vec<String>,

    /// Answer under this name, too; may be given several times. Without it the server answers under addresses, localhost, names without a
    /// dot, names under .local, and the hosts of --cors.
    #[arg(long, value_name = "NAME", value_parser = host)]
    host: Vec<String>,

    /// Where the page keeps the digits that it is taught, a folder for each, as `maobi finetune` reads them [default: samples in the
    /// user's folder for data of programs]
    #[arg(long, value_name = "DIR")]
    samples: Option<PathBuf>,

    /// The folder with training runs that the page shows.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,

    /// Which requests to tell on stderr.
    #[arg(long, value_name = "WHICH", default_value = "failed", value_parser = ["none", "failed", "all"])]
    log: String,

    /// How lines on stderr look.
    #[arg(long, value_name = "FORM", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,
}

const AFTER: &str = "\
The first line on stdout tells what is served and where; a browser shows the page
there: draw or photograph digits, see what the network sees, teach it your hand,
look at training runs. Other programs ask by
TensorFlow Serving's REST API (/v1/models/NAME:predict) or the Open Inference
Protocol (/v2/models/NAME/infer); people send pictures to /v1/recognize. What
there is stands in /openapi.json, figures for Prometheus in /metrics.
A file that is replaced is served from then on, without a request lost; one that
cannot be read is told on stderr, and the old one goes on answering. SIGHUP reads
all files again.
SIGTERM and Ctrl-C end the server once all requests are answered; a second one
ends it at once.

Examples:
  maobi serve
  curl -F image=@photo.jpg http://127.0.0.1:8501/v1/recognize
  maobi serve runs/tf2-cnn-1 clothes=fashion.keras --addr 0.0.0.0:8501
  maobi serve digits=models/digits --threads 4 --log all --log-format json

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Answers requests until it is asked to stop.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let address = address(&args.addr)?;
    let sources = sources(&args.models)?;
    let form = if args.log_format == "json" { Form::Json } else { Form::Text };
    let requests = match args.log.as_str() {
        "none" => Requests::None,
        "all" => Requests::All,
        _ => Requests::Failed,
    };
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let names = names.join(", ");
    let network = args.network.clone();
    let models = Models::open(sources, Box::new(move |file| load(file, &network)))?;
    let log = Log::new(form, requests).context("a thread for the log")?;
    std::panic::set_hook(log.panic_hook());
    let server = Server::bind(address, args.options(), models, log).with_context(|| {
        format!("{address}: cannot be listened at; is another server there? choose another with --addr HOST:PORT")
    })?;
    // Before anybody can know that it runs.
    let asked = server.listen_to_signals().context("signals cannot be listened to")?;
    let mut out = std::io::stdout().lock();
    // Whoever started it may have stopped reading.
    let _ = writeln!(out, "maobi serves {names} at http://{}", server.address()?).and_then(|()| out.flush());
    drop(out);
    let (signal, left) = server.run_until(asked);
    match (left, signal) {
        (0, Signal::Terminate) => Ok(Exit::Done),
        (0, Signal::Interrupt) => Ok(Exit::Interrupted),
        _ => bail!("{left} requests were not answered when time was up"),
    }
}

impl Args {
    /// The name that `--addr` gives, if it is one.
    fn own_name(&self) -> Option<String> {
        self.addr.rsplit_once(':').map(|(name, _)| name.to_owned()).filter(|name| is_name(name))
    }

    fn options(&self) -> Options {
        let defaults = Options::default();
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Options {
            threads: self.threads.map_or(defaults.threads, size),
            max_batch: size(self.max_batch),
            max_wait: Duration::from_micros(self.max_wait_us),
            queue: size(self.queue),
            patience: Duration::from_millis(self.timeout_ms),
            max_body: size(self.max_body_mb * 1_000_000),
            max_held: size(self.memory_mb * 1_000_000),
            max_pixels: self.max_megapixels * 1_000_000,
            picture_memory: self.picture_memory_mb.map_or(defaults.picture_memory, |mb| size(mb * 1_000_000)),
            read_timeout: Duration::from_millis(self.read_timeout_ms),
            reload: (self.reload_ms > 0).then(|| Duration::from_millis(self.reload_ms)),
            cors: self.cors.clone(),
            hosts: self.host.iter().cloned().chain(self.own_name()).collect(),
            samples: self.samples.clone().or_else(own_samples),
            runs: Some(self.runs.clone()),
            ..defaults
        }
    }
}

/// The name of a host.
fn host(text: &str) -> Result<String, String> {
    let name = || text.to_owned();
    is_name(text).then(name).ok_or_else(|| "expected a name such as digits.example, without http:// and without a port".into())
}

/// Where samples are kept unless the user says otherwise; `None` on a system that has no such place.
fn own_samples() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "maobi").map(|dirs| dirs.data_dir().join("samples"))
}

/// `HOST:PORT`, `:PORT`, or a port alone.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let local = |port: &str| Some(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port.parse().ok()?));
    let known = local(text.strip_prefix(':').unwrap_or(text));
    let found = known.or_else(|| text.to_socket_addrs().ok()?.next());
    found.with_context(|| format!("--addr {text}: expected HOST:PORT such as 127.0.0.1:8501"))
}

/// What the arguments name; the model in the box without any.
fn sources(models: &[String]) -> anyhow::Result<Vec<Source>> {
    if models.is_empty() {
        return Ok(vec![Source { name: "digits".into(), path: None }]);
    }
    let one = |argument: &String| {
        // A file whose own name has an equals sign is that file.
        let (name, path) = match argument.split_once('=') {
            Some((name, path)) if !Path::new(argument).exists() => (Some(name.to_owned()), path),
            _ => (None, argument.as_str()),
        };
        let path = PathBuf::from(path);
        let name = name.map_or_else(|| name_of(&path), Ok)?;
        // Of a run folder its model is watched; a folder of versions is no MODEL of other commands.
        let path = run::locate(&path).unwrap_or(path);
        Ok(Source { name, path: Some(path) })
    };
    models.iter().map(one).collect()
}

/// The name of a file without its ending, or of a folder.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let full = path.canonicalize().with_context(|| format!("{}: there is no such model file or folder", path.display()))?;
    let name = if full.is_dir() { full.file_name() } else { full.file_stem() };
    name.and_then(|name| name.to_str()).map(str::to_owned).with_context(|| format!("{}: name it: NAME=FILE", path.display()))
}

fn load(file: &Path, network: &Network) -> Result<(Model, Option<Preprocessing>), String> {
    let quiet = Console { json: false, quiet: true };
    // The server itself refuses weights that are not finite.
    let open = run::open(file, network, &quiet, false).map_err(|error| format!("{error:#}"))?;
    Ok((open.model, open.preprocessing))
}
