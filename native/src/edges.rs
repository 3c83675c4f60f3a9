//! Offsets in bytes as offsets in characters, as Python counts them.

/// Turns byte offsets into `text` into character offsets. The offsets must lie on the boundaries of characters.
pub fn in_characters(text: &str, mut edges: Vec<&mut usize>) {
    if text.is_ascii() {
        return;
    }
    edges.sort();
    let (mut bytes, mut characters) = (0, 0);
    for edge in edges {
        characters += text[bytes..*edge].chars().count();
        bytes = *edge;
        *edge = characters;
    }
}
