use super::*;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};

/// A model of two inputs that answers their sum and their difference.
fn served() -> Arc<Served> {
    let mut model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(2)).build(1).unwrap();
    model.weights_mut()[0].values_mut().copy_from_slice(&[1.0, 1.0, 1.0, -1.0]);
    Arc::new(Served::new("m".into(), 1, model, None, Arc::default()).unwrap())
}

fn batcher(options: Options) -> Batcher {
    Batcher::new(&options, Arc::default()).unwrap()
}

fn samples(first: usize, count: usize) -> Vec<Vec<f32>> {
    vec![(first..first + count).flat_map(|i| [i as f32, 1.0]).collect()]
}

fn sums(first: usize, count: usize) -> Vec<f32> {
    (first..first + count).flat_map(|i| [i as f32 + 1.0, i as f32 - 1.0]).collect()
}

#[test]
fn every_request_gets_its_own_answer() {
    let served = served();
    for (threads, max_batch) in [(1, 1), (1, 8), (3, 5)] {
        let batcher = batcher(Options { threads, max_batch, ..Options::default() });
        let sent =
            |i: usize| (i, 1 + i % 13, batcher.submit(&served, samples(i, 1 + i % 13), 1 + i % 13, Share::default()).unwrap());
        for (first, count, answer) in (0..200).map(sent).collect::<Vec<_>>() {
            assert_eq!(answer.blocking_recv().unwrap().unwrap().0, [sums(first, count)]);
        }
    }
}

#[test]
fn a_full_queue_refuses_and_the_end_answers_what_waits() {
    let served = served();
    // Nothing runs before a batch is full or a minute is over.
    let batcher = batcher(Options { threads: 1, queue: 2, max_wait: Duration::from_secs(60), ..Options::default() });
    let waiting: Vec<Answer> = (0..2).map(|i| batcher.submit(&served, samples(i, 1), 1, Share::default()).unwrap()).collect();
    let refused = batcher.submit(&served, samples(0, 1), 1, Share::default()).unwrap_err();
    assert_eq!(refused, Refused::Full { waiting: 2, model: "m".into() });
    assert_eq!(refused.to_string(), "2 requests wait for the model m already; try again");
    assert_eq!(served.metrics.queue.load(Relaxed), 2);
    batcher.end();
    for (i, answer) in waiting.into_iter().enumerate() {
        assert_eq!(answer.blocking_recv().unwrap().unwrap().0, [sums(i, 1)]);
    }
    assert_eq!(batcher.submit(&served, samples(0, 1), 1, Share::default()).unwrap_err(), Refused::Stopping);
    assert_eq!(served.metrics.queue.load(Relaxed), 0);
}

#[test]
fn who_waited_too_long_is_told_and_who_has_gone_is_left_out() {
    let served = served();
    let options =
        Options { threads: 1, max_wait: Duration::from_millis(30), patience: Duration::from_millis(10), ..Options::default() };
    let batcher = batcher(options);
    let late = batcher.submit(&served, samples(0, 1), 1, Share::default()).unwrap();
    drop(batcher.submit(&served, samples(1, 1), 1, Share::default()).unwrap());
    assert_eq!(late.blocking_recv().unwrap().unwrap_err(), Refused::Late(Duration::from_millis(10)));
    batcher.end();
    assert_eq!(served.metrics.queue.load(Relaxed), 0);
}

#[test]
fn a_request_of_too_many_samples_is_refused() {
    let served = served();
    let batcher = batcher(Options::default());
    let most = served.max_samples();
    assert_eq!(
        batcher.submit(&served, vec![vec![]], most + 1, Share::default()).unwrap_err(),
        Refused::TooLarge { samples: most + 1, most }
    );
}

#[test]
fn a_wait_collects_a_batch() {
    let served = served();
    let options = Options { threads: 1, max_batch: 4, max_wait: Duration::from_secs(60), ..Options::default() };
    let batcher = batcher(options);
    let answers: Vec<Answer> = (0..4).map(|i| batcher.submit(&served, samples(i, 1), 1, Share::default()).unwrap()).collect();
    for (i, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.blocking_recv().unwrap().unwrap().0, [sums(i, 1)]);
    }
}
