//! What one product reads and writes.

/// One product; the pointers and strides (in elements) are the caller's promise.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// Rows come in `groups` of `rows`: row `(g, p)` of A starts at `a + g·a_group + p·a_row`, of C at
    /// `c + g·c_group + p·c_row`.
    pub groups: usize,
    pub rows: usize,
    /// Columns of B and C.
    pub lanes: usize,
    pub a: *const f32,
    pub a_group: usize,
    pub a_row: usize,
    pub a_k: usize,
    /// k runs through `depth` elements `a_k` apart from each of these offsets into A in turn.
    pub segments: &'a [usize],
    pub depth: usize,
    /// The rows of B for a segment are `b_k` apart, the first ones of two segments `b_segment`.
    pub b: *const f32,
    pub b_k: usize,
    pub b_segment: usize,
    pub c: *mut f32,
    pub c_group: usize,
    pub c_row: usize,
    /// Adds to C instead of overwriting it.
    pub accumulate: bool,
    /// `lanes` values added to every row, unless null.
    pub bias: *const f32,
    /// Replaces negative results by 0.
    pub relu: bool,
    /// What is needed next: two cache lines at each of `depth` addresses `ahead.1` apart from here, fetched while the
    /// tile is computed. A hint: any pointer is valid, null is none.
    pub ahead: (*const f32, usize),
}

impl Tile<'_> {
    /// A plain product of one group and one segment, in which only sizes, operands and their strides are to be filled in.
    pub(crate) const PLAIN: Tile<'static> = Tile {
        groups: 1,
        rows: 0,
        lanes: 0,
        a: std::ptr::null(),
        a_group: 0,
        a_row: 0,
        a_k: 0,
        segments: &[0],
        depth: 0,
        b: std::ptr::null(),
        b_k: 0,
        b_segment: 0,
        c: std::ptr::null_mut(),
        c_group: 0,
        c_row: 0,
        accumulate: false,
        bias: std::ptr::null(),
        relu: false,
        ahead: (std::ptr::null(), 0),
    };
}
