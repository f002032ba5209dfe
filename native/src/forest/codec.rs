//! A forest as bytes and back.
//!
//! Little endian: `LHIF`, version u16; fingerprint; seed u64, sample size u32, rows u64, harmonic u8 (0
//! exact, 1 euler); feature count u16, then name, unit, median, p5, p95 of each; tree count u32, then of
//! each tree its weight f64, the node count u32 and its nodes breadth first. A node is six bytes: u16
//! feature with bit 15 for "unknown goes right" and a f32 threshold, or 0xFFFF and the leaf's u32 size.
//! The feature 0x7FFE (0xFFFE) marks an extended split: u16 count and so many u16 features with f32
//! coefficients follow. At the end stands SHA-256 of all before it. Texts are a u8 length and UTF-8.
//! Loading checks the digest first and then trusts no length all the same. Version 1 knew neither
//! harmonic, weights nor extended splits; it is refused by name.
use sha2::{Digest, Sha256};

use super::lengths::Harmonic;
use super::merge::is_weight;
use super::params::{MAX_FEATURES, MAX_SAMPLE_SIZE, MAX_TREES};
use super::summary::FeatureSummary;
use super::tree::{Node, Terms, Tree};
use super::{FeatureName, Forest, Head};
use crate::error::{Error, Result};

const MAGIC: &[u8; 4] = b"LHIF";
const VERSION: u16 = 2;
const DIGEST_BYTES: usize = 32;
const LEAF: u16 = 0xffff;
const MISSING_RIGHT: u16 = 0x8000;
const EXTENDED: u16 = 0x7ffe;

impl Forest {
    /// The forest as bytes; equal forests give equal bytes.
    #[allow(clippy::cast_possible_truncation)] // All counts are bounded far below by the parameters.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let head = &self.head;
        put_text(&mut out, &head.fingerprint);
        out.extend_from_slice(&head.seed.to_le_bytes());
        out.extend_from_slice(&(head.sample_size as u32).to_le_bytes());
        out.extend_from_slice(&head.rows.to_le_bytes());
        out.push(u8::from(head.harmonic == Harmonic::Euler));
        out.extend_from_slice(&(head.features.len() as u16).to_le_bytes());
        for (feature, summary) in head.features.iter().zip(&head.summaries) {
            put_text(&mut out, &feature.name);
            put_text(&mut out, &feature.unit);
            for value in [summary.median, summary.p5, summary.p95] {
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
        out.extend_from_slice(&(self.trees.len() as u32).to_le_bytes());
        for tree in &self.trees {
            put_tree(&mut out, tree);
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// Stands for the forest: SHA-256 of its bytes but the last 32, which are this very digest.
    pub fn digest(&self) -> [u8; DIGEST_BYTES] {
        let bytes = self.to_bytes();
        *bytes.last_chunk().expect("a forest's bytes end with their digest")
    }

    /// Reads a forest; anything damaged, cut or contradictory is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Some((body, digest)) = bytes.split_last_chunk::<DIGEST_BYTES>() else {
            return Err(damaged("it is too short"));
        };
        if !body.starts_with(MAGIC) {
            return Err(damaged("it does not begin with LHIF"));
        }
        if Sha256::digest(body).as_slice() != digest {
            return Err(damaged("its checksum is wrong"));
        }
        read_forest(&mut Reader(&body[MAGIC.len()..]))
    }
}

fn damaged(why: &str) -> Error {
    Error::new(format!("this is no usable forest: {why}"))
}

#[allow(clippy::cast_possible_truncation)] // Texts are checked to have at most 255 bytes.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

#[allow(clippy::cast_possible_truncation)] // A tree has fewer than 2¹⁷ nodes.
fn put_tree(out: &mut Vec<u8>, tree: &Tree) {
    out.extend_from_slice(&tree.weight().to_le_bytes());
    out.extend_from_slice(&(tree.nodes().len() as u32).to_le_bytes());
    for node in tree.nodes() {
        let terms = tree.terms(node);
        let feature = if terms.is_some() { EXTENDED } else { node.feature };
        let (tag, payload) = if node.is_leaf() {
            (LEAF, node.size)
        } else {
            (feature | if node.missing_right { MISSING_RIGHT } else { 0 }, node.threshold.to_bits())
        };
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&payload.to_le_bytes());
        let Some(terms) = terms else { continue };
        out.extend_from_slice(&(terms.0.len() as u16).to_le_bytes());
        for (feature, coefficient) in &terms.0 {
            out.extend_from_slice(&feature.to_le_bytes());
            out.extend_from_slice(&coefficient.to_le_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    fn text(&mut self) -> Result<String> {
        let [length] = self.take()?;
        let bytes = self.bytes(usize::from(length))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| damaged("a text is not UTF-8"))
    }

    fn count(&mut self, max: usize, what: &str) -> Result<usize> {
        let count = self.u32()? as usize;
        if (1..=max).contains(&count) { Ok(count) } else { Err(damaged(what)) }
    }
}

fn read_forest(reader: &mut Reader<'_>) -> Result<Forest> {
    let head = read_head(reader)?;
    let tree_count = reader.count(MAX_TREES, "its tree count is out of range")?;
    let mut trees = Vec::new();
    for _ in 0..tree_count {
        trees.push(read_tree(reader, head.features.len(), head.sample_size)?);
    }
    if !reader.0.is_empty() {
        return Err(damaged("something follows its last tree"));
    }
    Ok(Forest::assemble(head, trees))
}

fn read_head(reader: &mut Reader<'_>) -> Result<Head> {
    let version = reader.u16()?;
    if version != VERSION {
        let text = format!("its version is {version}, this program reads {VERSION}: train it anew");
        return Err(damaged(&text));
    }
    let fingerprint = reader.text()?;
    let seed = reader.u64()?;
    let sample_size = reader.count(MAX_SAMPLE_SIZE, "its sample size is out of range")?;
    let rows = reader.u64()?;
    let harmonic = match reader.take()? {
        [0] => Harmonic::Exact,
        [1] => Harmonic::Euler,
        _ => return Err(damaged("its kind of harmonic numbers is unknown")),
    };
    let columns = usize::from(reader.u16()?);
    if columns == 0 || columns > MAX_FEATURES {
        return Err(damaged("its feature count is out of range"));
    }
    let (mut features, mut summaries) = (Vec::new(), Vec::new());
    for _ in 0..columns {
        features.push(FeatureName { name: reader.text()?, unit: reader.text()? });
        summaries.push(FeatureSummary { median: reader.f64()?, p5: reader.f64()?, p95: reader.f64()? });
    }
    Ok(Head { fingerprint, features, summaries, seed, sample_size, rows, harmonic })
}

fn read_tree(reader: &mut Reader<'_>, columns: usize, sample_size: usize) -> Result<Tree> {
    let weight = reader.f64()?;
    if !is_weight(weight) {
        return Err(damaged("a tree's weight is out of range"));
    }
    let count = reader.count(2 * sample_size, "a tree has too many nodes")?;
    let (mut nodes, mut extended, mut next_child) = (Vec::new(), Vec::new(), 1);
    for _ in 0..count {
        let (tag, payload) = (reader.u16()?, reader.u32()?);
        if tag == LEAF {
            nodes.push(Node::leaf(payload));
            continue;
        }
        let terms = if tag & !MISSING_RIGHT == EXTENDED { Some(read_terms(reader, columns)?) } else { None };
        nodes.push(read_split(tag, payload, next_child, columns, terms, &mut extended)?);
        next_child += 2;
    }
    // Breadth first with every child behind its parent: then the counts fit and no path can loop.
    let behind = |(place, node): (usize, &Node)| node.is_leaf() || node.left as usize > place;
    if next_child as usize != count || !nodes.iter().enumerate().all(behind) {
        return Err(damaged("a tree's nodes do not fit together"));
    }
    sum_sizes(&mut nodes, sample_size)?;
    Ok(Tree::new(nodes, extended).weighted(weight))
}

fn read_terms(reader: &mut Reader<'_>, columns: usize) -> Result<Terms> {
    let count = usize::from(reader.u16()?);
    let mut terms = Vec::new();
    for _ in 0..count {
        let (feature, coefficient) = (reader.u16()?, f32::from_bits(reader.u32()?));
        if usize::from(feature) >= columns || !coefficient.is_finite() {
            return Err(damaged("a split is out of range"));
        }
        terms.push((feature, coefficient));
    }
    if terms.is_empty() { Err(damaged("a split has no terms")) } else { Ok(Terms(terms)) }
}

#[allow(clippy::cast_possible_truncation)] // A tree has fewer than 2¹⁷ nodes.
fn read_split(
    tag: u16,
    payload: u32,
    left: u32,
    columns: usize,
    terms: Option<Terms>,
    extended: &mut Vec<Terms>,
) -> Result<Node> {
    let feature = terms.as_ref().map_or(tag & !MISSING_RIGHT, |terms| terms.0[0].0);
    let threshold = f32::from_bits(payload);
    if usize::from(feature) >= columns || !threshold.is_finite() {
        return Err(damaged("a split is out of range"));
    }
    let place = if terms.is_some() { extended.len() as u32 + 1 } else { 0 };
    extended.extend(terms);
    Ok(Node { threshold, left, size: 0, feature, missing_right: tag & MISSING_RIGHT != 0, extended: place })
}

/// Every split's size is its children's sum, and the root's at most the whole sample.
fn sum_sizes(nodes: &mut [Node], sample_size: usize) -> Result<()> {
    for place in (0..nodes.len()).rev() {
        let node = nodes[place];
        if !node.is_leaf() {
            let left = node.left as usize;
            nodes[place].size = nodes[left].size.saturating_add(nodes[left + 1].size);
        }
    }
    let empty = nodes.iter().any(|node| node.size == 0);
    if empty || nodes[0].size as usize > sample_size {
        return Err(damaged("a tree's sizes do not add up"));
    }
    Ok(())
}
