//! Small PNG drawings for reports.
/// x
pub struct Labelled<'a> {
    /// i
    pub image: &'a [u8],
    /// h
    pub height: usize,
    /// w
    pub width: usize,
    /// c
    pub channels: usize,
    /// l
    pub label: &'a str,
}
/// x
pub fn preview_png(items: &[Labelled<'_>]) -> Vec<u8> {
    let i = &items[0];
    let mut o = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_raw(i.width as u32, i.height as u32, i.image.to_vec())
        .unwrap()
        .write_to(&mut o, image::ImageFormat::Png)
        .unwrap();
    o.into_inner()
}
