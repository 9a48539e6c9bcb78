//! Fenced blocks of a Markdown text.

/// A fenced block: its info string (`console run`) and its lines.
#[derive(Debug, PartialEq)]
pub struct Block {
    pub info: String,
    pub lines: Vec<String>,
}

/// All fenced blocks of `text`.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(info), false) => blocks.push(Block { info: info.trim().to_owned(), lines: Vec::new() }),
            (None, true) => blocks.last_mut().expect("a block has begun").lines.push(line.to_owned()),
            (Some(_), true) | (None, false) => {}
        }
        if line.starts_with("```") {
            inside = !inside;
        }
    }
    assert!(!inside, "a fenced block does not end");
    blocks
}

/// The lines of `text` outside of fenced blocks.
pub fn prose(text: &str) -> Vec<&str> {
    let mut inside = false;
    text.lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .collect()
}
