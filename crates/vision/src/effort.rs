//! How much work a picture may take.

use std::cell::Cell;
use std::time::Instant;

/// Bounds the work on one picture: by a number of steps, which is the same on every machine, and optionally by a point in time.
///
/// A step is about one look at one pixel. Photos and scans of writing take 200 million at most; a picture made to keep the pipeline busy
/// takes more than [`Effort::STEPS`], and the pipeline stops.
#[derive(Clone, Debug)]
pub struct Effort {
    left: Cell<u64>,
    until: Option<Instant>,
}

/// A picture took more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// More steps than [`Effort::STEPS`].
    #[error("there is too much on the picture that may be writing; crop it to the digits")]
    Work,
    /// It was not read in time.
    #[error("reading the picture took longer than allowed; shrink it, crop it to the digits, or allow more time")]
    Time,
}

impl Effort {
    /// Steps for one picture.
    pub const STEPS: u64 = 2_000_000_000;

    /// [`Effort::STEPS`] steps, until a point in time if one is given.
    pub fn new(until: Option<Instant>) -> Self {
        Self::of_steps(Self::STEPS, until)
    }

    /// The same with another number of steps.
    pub fn of_steps(steps: u64, until: Option<Instant>) -> Self {
        Self { left: Cell::new(steps), until }
    }

    /// Steps that are left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Whether there is time left.
    ///
    /// # Errors
    /// [`TooMuch::Time`].
    pub fn check(&self) -> Result<(), TooMuch> {
        self.spend(0)
    }

    /// Pays for the next piece of work.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), TooMuch> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(TooMuch::Time);
        }
        let left = self.left.get().checked_sub(steps as u64).ok_or(TooMuch::Work)?;
        self.left.set(left);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn steps_and_time_end() {
        let effort = Effort::of_steps(10, None);
        assert_eq!((effort.spend(10), effort.spend(1), effort.left()), (Ok(()), Err(TooMuch::Work), 0));
        let late = Effort::new(Some(Instant::now()));
        assert_eq!(late.check(), Err(TooMuch::Time));
        assert_eq!(Effort::new(Some(Instant::now() + Duration::from_secs(3600))).check(), Ok(()));
    }
}
