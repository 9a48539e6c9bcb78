//! What a convolution is: sizes, strides, dilation, groups, padding.

/// Zeros around an image, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

/// The geometry of a convolution of `[n, h, w, c_in]` by `[kh, kw, c_in / groups, c_out]` to
/// `[n, out_h, out_w, c_out]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dShape {
    /// Input rows.
    pub h: usize,
    /// Input columns.
    pub w: usize,
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Kernel rows.
    pub kh: usize,
    /// Kernel columns.
    pub kw: usize,
    /// Steps between output pixels: rows, columns.
    pub stride: (usize, usize),
    /// Steps between kernel taps: rows, columns.
    pub dilation: (usize, usize),
    /// Groups: output channel `o` sees the input channels of group `o / (c_out / groups)` only.
    /// `groups == c_in` is a depthwise convolution.
    pub groups: usize,
    /// Zeros around the input.
    pub pad: Padding,
}

impl Conv2dShape {
    /// Output rows; 0 when the kernel is larger than the padded input.
    pub fn out_h(&self) -> usize {
        outputs(self.padded_h(), self.kh, self.stride.0, self.dilation.0)
    }

    /// Output columns; 0 when the kernel is larger than the padded input.
    pub fn out_w(&self) -> usize {
        outputs(self.padded_w(), self.kw, self.stride.1, self.dilation.1)
    }

    /// Input elements of a sample.
    pub(super) fn input_len(&self) -> usize {
        self.h * self.w * self.c_in
    }

    /// Output elements of a sample.
    pub(super) fn output_len(&self) -> usize {
        self.out_h() * self.out_w() * self.c_out
    }

    /// Elements of the kernel.
    pub(super) fn kernel_len(&self) -> usize {
        self.kh * self.kw * self.group_in() * self.c_out
    }

    /// Input channels of a group.
    pub(super) fn group_in(&self) -> usize {
        self.c_in / self.groups
    }

    /// Output channels of a group.
    pub(super) fn group_out(&self) -> usize {
        self.c_out / self.groups
    }

    pub(super) fn padded_h(&self) -> usize {
        self.h + self.pad.top + self.pad.bottom
    }

    pub(super) fn padded_w(&self) -> usize {
        self.w + self.pad.left + self.pad.right
    }

    /// Panics, naming the argument, when the shape makes no sense.
    pub(super) fn check(&self) {
        assert!(self.kh > 0 && self.kw > 0, "Conv2d: the kernel has no elements ({} x {})", self.kh, self.kw);
        assert!(self.c_in > 0 && self.c_out > 0, "Conv2d: no channels ({} in, {} out)", self.c_in, self.c_out);
        assert!(self.stride.0 > 0 && self.stride.1 > 0, "Conv2d: stride {:?} must be positive", self.stride);
        assert!(self.dilation.0 > 0 && self.dilation.1 > 0, "Conv2d: dilation {:?} must be positive", self.dilation);
        let fits = self.groups > 0 && self.c_in.is_multiple_of(self.groups) && self.c_out.is_multiple_of(self.groups);
        assert!(fits, "Conv2d: {} groups divide neither {} nor {} channels", self.groups, self.c_in, self.c_out);
    }
}

fn outputs(padded: usize, kernel: usize, stride: usize, dilation: usize) -> usize {
    let reach = (kernel - 1) * dilation + 1;
    if padded < reach { 0 } else { (padded - reach) / stride + 1 }
}
