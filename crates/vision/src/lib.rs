//! From any picture to what a network sees.
