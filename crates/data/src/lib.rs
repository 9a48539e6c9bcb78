//! Data sets of maobi: IDX, npz, image folders, downloads, built-in digits.
