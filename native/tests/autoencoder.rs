//! The autoencoder against PyTorch and ONNX Runtime, and what training promises.
#![allow(clippy::cast_possible_wrap, clippy::cast_precision_loss)] // Small made-up numbers.
mod support;

use lineheron_native::autoencoder::batch::Batch;
use lineheron_native::autoencoder::network::Network;
use lineheron_native::autoencoder::onnx;
use lineheron_native::autoencoder::optimizer::Adam;
use lineheron_native::autoencoder::params::TrainingParams;
use lineheron_native::autoencoder::scaler::Scaler;
use lineheron_native::autoencoder::train::{Trained, train};
use lineheron_native::autoencoder::{Autoencoder, CLIP};
use serde::Deserialize;
use support::normal_rows;

#[derive(Deserialize)]
struct Reference {
    sizes: Vec<usize>,
    inputs: Vec<Vec<f64>>,
    known: Vec<Vec<bool>>,
    parameters: Vec<f64>,
    losses: Vec<f64>,
    gradient: Vec<f64>,
    learning_rate: f64,
    trained: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("fixtures/autoencoder.json")).unwrap()
}

impl Reference {
    fn network(&self) -> Network {
        Network::from_parts(self.sizes.clone(), self.parameters.clone()).unwrap()
    }

    #[allow(clippy::cast_precision_loss)]
    fn loss_and_gradient(&self, network: &Network) -> (f64, Vec<f64>) {
        let count = self.known.iter().flatten().filter(|known| **known).count() as f64;
        let mut gradient = vec![0.0; network.parameters().len()];
        let rows = self.inputs.iter().zip(&self.known);
        let squares = rows.map(|(row, known)| network.accumulate(row, known, 1.0 / count, &mut gradient));
        (squares.sum::<f64>() / count, gradient)
    }
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < tolerance, "{index}: {found} expected {expected}");
    }
}

#[test]
fn loss_gradient_and_five_adam_steps_equal_pytorchs() {
    let reference = reference();
    let mut network = reference.network();
    let mut adam = Adam::new(network.parameters().len(), reference.learning_rate);
    for (step, expected) in reference.losses.iter().enumerate() {
        let (loss, gradient) = reference.loss_and_gradient(&network);
        assert!((loss - expected).abs() < 1e-12, "step {step}: {loss} expected {expected}");
        if step == 0 {
            assert_close(&gradient, &reference.gradient, 1e-12);
        }
        adam.step(network.parameters_mut(), &gradient);
    }
    assert_close(network.parameters(), &reference.trained, 1e-10);
}

/// Training runs in f32: after the same five steps its weights are PyTorch's to seven digits or so.
#[test]
#[allow(clippy::cast_possible_truncation)]
fn five_steps_in_f32_stay_within_a_hundred_thousandth_of_pytorchs() {
    let reference = reference();
    let mut network = reference.network().narrow();
    let mut adam = Adam::<f32>::new(network.parameters().len(), reference.learning_rate);
    let narrow = |row: &Vec<f64>| row.iter().map(|&value| value as f32).collect::<Vec<f32>>();
    let inputs: Vec<Vec<f32>> = reference.inputs.iter().map(narrow).collect();
    let count = reference.known.iter().flatten().filter(|known| **known).count();
    let mut batch = Batch::<f32>::new(network.sizes());
    batch.load(inputs.iter().map(Vec::as_slice).zip(reference.known.iter().map(Vec::as_slice)));
    for expected in &reference.losses {
        let mut gradient = vec![0.0; network.parameters().len()];
        let squares = batch.accumulate(&network, 1.0 / count as f32, &mut gradient);
        assert!((squares / count as f64 - expected).abs() < 1e-5, "{squares} {expected}");
        adam.step(network.parameters_mut(), &gradient);
    }
    assert_close(network.widen().parameters(), &reference.trained, 1e-5);
}

/// The reference network with a scaler in which column 3 is out of use.
fn fixed_autoencoder() -> Autoencoder {
    let reference = reference();
    let means = vec![50.0, 40.0, 60.0, 0.0, 55.0, 0.5, 1000.0];
    let factors = vec![0.03, 0.04, 0.1, 0.0, 0.025, 1.0, 0.002];
    Autoencoder::new(Scaler::from_parts(means, factors), reference.network())
}

#[test]
fn the_onnx_file_is_the_one_that_onnxs_checker_and_runtime_accepted() {
    let properties = [("fingerprint".to_owned(), "0123456789abcdef".to_owned())];
    let bytes = onnx::write(&fixed_autoencoder(), &properties);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/autoencoder.onnx");
    if std::env::var_os("LINEHERON_WRITE_FIXTURES").is_some() {
        std::fs::write(path, &bytes).unwrap();
    }
    assert_eq!(bytes, std::fs::read(path).unwrap(), "run tests/fixtures/check_onnx.py on a new file");
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Known(f64),
    Text(String),
}

#[derive(Deserialize)]
struct Scored {
    features: Vec<Vec<Option<Value>>>,
    score: Vec<f64>,
    errors: Vec<Vec<f64>>,
}

#[test]
fn scores_and_errors_equal_onnx_runtimes() {
    let scored: Scored = serde_json::from_str(include_str!("fixtures/autoencoder_scores.json")).unwrap();
    let autoencoder = fixed_autoencoder();
    assert_eq!(scored.score.len(), 40);
    for ((row, score), errors) in scored.features.iter().zip(&scored.score).zip(&scored.errors) {
        let number = |value: &Option<Value>| match value {
            None => f64::NAN,
            Some(Value::Known(value)) => *value,
            Some(Value::Text(text)) => text.parse().unwrap(),
        };
        let row: Vec<f64> = row.iter().map(number).collect();
        let tolerance = 1e-5 * score.max(1.0);
        assert!((autoencoder.score(&row) - score).abs() < tolerance, "{} {score}", autoencoder.score(&row));
        for (found, expected) in autoencoder.errors(&row).iter().zip(errors) {
            assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{found} {expected}");
        }
    }
    assert_eq!(scored.score[0], 0.0, "nothing known, nothing wrong");
}

#[test]
fn a_written_file_is_read_back_and_scores_the_same_row_by_row_and_in_blocks() {
    let properties = vec![("fingerprint".to_owned(), "0123456789abcdef".to_owned())];
    let written = onnx::write(&fixed_autoencoder(), &properties);
    let (autoencoder, found) = onnx::read(&written).unwrap();
    assert!(autoencoder == fixed_autoencoder() && found == properties);
    let mut rows = normal_rows(101, 7, 5);
    rows.iter_mut().step_by(6).for_each(|value| *value = f64::NAN);
    rows[3] = f64::INFINITY;
    let one_by_one: Vec<f64> = rows.chunks_exact(7).map(|row| autoencoder.score(row)).collect();
    assert_eq!(autoencoder.score_rows(&rows), one_by_one);
    assert!(autoencoder.score_rows(&[]).is_empty());
}

#[test]
fn files_of_another_layout_are_refused_by_that_reason() {
    let written = onnx::write(&fixed_autoencoder(), &[]);
    // The last property: an entry of 13 bytes whose value is the last byte.
    let (last, before) = written.split_last().unwrap();
    assert_eq!(*last, b'2');
    let later = [before, b"3"].concat();
    assert!(
        onnx::read(&later).unwrap_err().to_string().contains("its layout is 3, expected 2: train it anew")
    );
    let former = &written[..written.len() - 13];
    assert!(onnx::read(former).unwrap_err().to_string().contains("before layout 2: train it anew"));
}

#[test]
fn only_files_of_ours_are_read_and_no_changed_or_cut_one() {
    let written = onnx::write(&fixed_autoencoder(), &[]);
    for length in 0..written.len() {
        assert!(onnx::read(&written[..length]).is_err(), "cut to {length}");
    }
    let (mut taken, mut refused) = (0, 0);
    for place in 0..written.len() {
        for bit in 0..8 {
            let mut damaged = written.clone();
            damaged[place] ^= 1 << bit;
            match onnx::read(&damaged) {
                // Another weight or another name of the version: a file that might have been written.
                Ok((autoencoder, _)) => {
                    taken += 1;
                    assert!(!autoencoder.score(&[1.0; 7]).is_nan());
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > taken / 4 && taken > 1000, "{taken} taken, {refused} refused");
    assert!(onnx::read(b"").is_err() && onnx::read(&[0xff; 100]).is_err());
}

/// Rows on a two-dimensional surface in eight dimensions, with a constant and an unknown column.
fn surface_rows(count: usize, seed: u64) -> Vec<f64> {
    let hidden = normal_rows(count, 2, seed);
    let noise = normal_rows(count, 6, seed + 1);
    let mut rows = Vec::new();
    for (hidden, noise) in hidden.chunks_exact(2).zip(noise.chunks_exact(6)) {
        let (a, b) = (hidden[0], hidden[1]);
        let clean = [a, b, a + b, a - b, 2.0 * a, 0.5 * b];
        rows.extend(clean.iter().zip(noise).map(|(value, noise)| 100.0 + 10.0 * value + 0.5 * noise));
        rows.extend([7.0, f64::NAN]);
    }
    rows
}

fn trained(rows: &[f64], params: &TrainingParams) -> Trained {
    train(rows, &params.check(8).unwrap()).unwrap()
}

#[test]
fn training_learns_the_surface_and_scores_what_leaves_it_far_higher() {
    let rows = surface_rows(1500, 1);
    let result = trained(&rows, &TrainingParams::default());
    assert!(result.training_loss < 0.1, "{}", result.training_loss);
    assert!((result.validation_loss.unwrap() / result.training_loss - 1.0).abs() < 0.5);
    let mut off = rows[..8].to_vec();
    off[2] += 60.0;
    assert!(result.autoencoder.score(&off) > 10.0 * result.threshold);
    let errors = result.autoencoder.errors(&off);
    assert_eq!((errors[6], errors[7]), (0.0, 0.0), "constant and unknown columns are out");
    let above = result.scores.iter().filter(|&&score| score > result.threshold).count();
    assert!(
        (70..=75).contains(&above),
        "{above}: no more than five of a hundred lie above the 95th percentile"
    );
}

#[test]
fn rows_that_are_all_but_alike_leave_the_threshold_above_the_noise_of_arithmetic() {
    // A heartbeat: 28 or 29 records in a window of 30 s, nothing else varies.
    let rows: Vec<f64> =
        (0..600).flat_map(|at| [f64::from(28 + at % 2) / 30.0, 0.0, f64::NAN, 1.0]).collect();
    let result = train(&rows, &TrainingParams::default().check(4).unwrap()).unwrap();
    assert!(result.threshold >= 1e-4, "{}", result.threshold);
    assert!(
        result.autoencoder.score(&[14.0 / 30.0, 0.0, f64::NAN, 1.0]) > result.threshold,
        "half its rate"
    );
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let rows = surface_rows(200, 3);
    let file = |seed| {
        let params = TrainingParams { seed, epochs: 5.0, ..TrainingParams::default() };
        onnx::write(&trained(&rows, &params).autoencoder, &[])
    };
    assert_eq!(file(1.0), file(1.0));
    assert_ne!(file(1.0), file(2.0));
}

/// Of the bits of every parameter: no platform, compiler or width of vectors may change one.
#[test]
fn the_weights_of_a_seed_are_these_on_every_platform() {
    let params = TrainingParams { seed: 7.0, epochs: 6.0, ..TrainingParams::default() };
    let result = trained(&surface_rows(300, 4), &params);
    let fold = |hash: u64, value: &f64| (hash ^ value.to_bits()).wrapping_mul(0x0100_0000_01b3);
    let hash = result.autoencoder.network().parameters().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    assert_eq!(format!("{hash:016x}"), "65f9f5692b4a45d7");
}

#[test]
fn training_stops_early_and_keeps_the_best_weights() {
    // Few rows of pure noise: what is learned does not carry over to the rows held back.
    let rows = normal_rows(60, 8, 5);
    let params =
        |epochs| TrainingParams { epochs, patience: 5.0, learning_rate: 0.05, ..Default::default() };
    let long = trained(&rows, &params(10_000.0));
    assert!(long.epochs_run < 10_000 && long.epochs_run > 5, "{}", long.epochs_run);
    let best = trained(&rows, &params((long.epochs_run - 5) as f64));
    assert!((long.validation_loss.unwrap() - best.validation_loss.unwrap()).abs() < 1e-3);
    let later = TrainingParams { patience: 10_000.0, ..params(long.epochs_run as f64) };
    assert_eq!(trained(&rows, &later).validation_loss, long.validation_loss);
}

#[test]
fn a_tenth_of_foreign_rows_is_set_aside_and_not_learnt() {
    let mut rows = surface_rows(1000, 6);
    // Foreign rows that lie on a surface of their own, so that a network could well learn them.
    let foreign = normal_rows(40, 1, 9);
    for (row, shift) in rows.chunks_exact_mut(8).step_by(25).zip(&foreign) {
        row[..6].copy_from_slice(&[120.0 + shift, 80.0 - shift, 130.0, 70.0 + shift, 60.0, 115.0 - shift]);
    }
    let share = |trim_fraction| {
        let result = trained(&rows, &TrainingParams { trim_fraction, ..TrainingParams::default() });
        let foreign = result.scores.iter().step_by(25).sum::<f64>() / 40.0;
        foreign / (result.scores.iter().sum::<f64>() / 1000.0)
    };
    let (learnt, set_aside) = (share(0.0), share(0.1));
    assert!(set_aside > 1.5 * learnt && set_aside > 10.0, "{learnt} {set_aside}");
}

#[test]
fn few_rows_one_row_and_rows_without_anything_known_are_trained_without_fault() {
    for rows in [vec![1.0; 8], surface_rows(9, 1), vec![f64::NAN; 80]] {
        let result = trained(&rows, &TrainingParams { epochs: 3.0, ..TrainingParams::default() });
        assert!(result.threshold.is_finite() && result.scores.len() == rows.len() / 8);
        assert_eq!(result.validation_loss.is_some(), rows.len() >= 80);
    }
}

#[test]
fn wild_values_are_cut_and_infinite_ones_refused() {
    let mut rows = surface_rows(100, 2);
    rows[0] = 1e30;
    let result = trained(&rows, &TrainingParams { epochs: 3.0, ..TrainingParams::default() });
    assert!(result.scores.iter().all(|&score| score <= 4.0 * CLIP * CLIP));
    rows[9] = f64::INFINITY;
    let error = train(&rows, &TrainingParams::default().check(8).unwrap()).unwrap_err().to_string();
    assert!(error.contains("row 1, column 1"), "{error}");
    assert!(train(&rows[..7], &TrainingParams::default().check(8).unwrap()).is_err());
    assert!(train(&[], &TrainingParams::default().check(8).unwrap()).is_err());
}
