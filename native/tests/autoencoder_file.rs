//! Bytes that claim to be an autoencoder's file: cut, flipped, spliced or made up to waste memory.
#[path = "support/heap.rs"]
mod heap;

use lineheron_native::autoencoder::network::Network;
use lineheron_native::autoencoder::scaler::Scaler;
use lineheron_native::autoencoder::{Autoencoder, onnx};
use lineheron_native::random::Random;
use proptest::prelude::*;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

const COLUMNS: usize = 6;

fn file() -> Vec<u8> {
    let network = Network::random(&[COLUMNS, 3, 1, 3, COLUMNS], &mut Random::new(1));
    let scaler = Scaler::from_parts(vec![2.0; COLUMNS], vec![0.5, 0.25, 0.0, 1.0, 3.0, 0.125]);
    let properties = [("fingerprint".to_owned(), "0123456789abcdef".to_owned())];
    onnx::write(&Autoencoder::new(scaler, network), &properties)
}

/// Reads, and scores with what was read; neither may panic nor give anything but finite scores.
fn read_and_score(bytes: &[u8]) -> bool {
    let Ok((autoencoder, _)) = onnx::read(bytes) else { return false };
    let rows = [1.0, f64::NAN, 1e30, f64::INFINITY, -0.0, 4.0].repeat(3);
    assert!(autoencoder.score_rows(&rows).iter().all(|score| score.is_finite()));
    assert!(autoencoder.errors(&rows[..COLUMNS]).iter().all(|error| error.is_finite()));
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn cut_files_are_refused(length in 0_usize..file().len()) {
        // The property stands last: cut just before it, what is left is a whole file without properties.
        let bytes = file();
        let whole = onnx::read(&bytes[..length]).is_ok_and(|(_, properties)| properties.is_empty());
        let rest = &bytes[length..];
        let before_property = rest[0] == 0x72 && rest.len() == 2 + usize::from(rest[1]);
        prop_assert!(!read_and_score(&bytes[..length]) || (whole && before_property));
    }

    #[test]
    fn flipped_bits_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u32..8), 1..6)) {
        let mut bytes = file();
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        read_and_score(&bytes);
    }

    #[test]
    fn spliced_files_never_panic(from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
                                 middle in prop::collection::vec(any::<u8>(), 0..24)) {
        let whole = file();
        let (from, to) = (from.index(whole.len()), to.index(whole.len()));
        read_and_score(&[&whole[..from], &middle[..], &whole[to..]].concat());
    }

    #[test]
    fn made_up_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!read_and_score(&bytes));
    }
}

#[test]
fn the_whole_file_is_read() {
    assert!(read_and_score(&file()));
}

/// A field of protobuf: its number, and bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push(u8::try_from(length % 128).unwrap() | 128);
        length /= 128;
    }
    bytes.push(u8::try_from(length).unwrap());
    [&bytes[..], content].concat()
}

#[test]
fn millions_of_empty_messages_do_not_become_gigabytes() {
    let many = |number: u8| [number << 3 | 2, 0].repeat(500_000);
    let dims = field(5, &field(1, &vec![1; 1_000_000]));
    let names = field(1, &many(1));
    for graph in [many(1), many(5), many(11), dims, names] {
        for bytes in [field(7, &graph), [file(), field(7, &graph)].concat(), many(14)] {
            let before = heap::asked();
            assert!(!read_and_score(&bytes));
            let asked = heap::asked() - before;
            assert!(asked <= 4 * bytes.len() as u64, "{asked} bytes for {}", bytes.len());
        }
    }
}
