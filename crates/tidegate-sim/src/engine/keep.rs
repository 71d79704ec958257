//! Queues and sets with a byte form.

use std::collections::{BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};
use tidegate_types::codec::{Codec, CodecError};

macro_rules! keeps {
    ($($(#[$doc:meta])* $name:ident($inner:ident) $(: $bound:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name<T>($inner<T>);

        impl<T> Default for $name<T> {
            fn default() -> $name<T> {
                $name($inner::default())
            }
        }

        impl<T> Deref for $name<T> {
            type Target = $inner<T>;
            fn deref(&self) -> &$inner<T> {
                &self.0
            }
        }

        impl<T> DerefMut for $name<T> {
            fn deref_mut(&mut self) -> &mut $inner<T> {
                &mut self.0
            }
        }

        impl<'a, T> IntoIterator for &'a $name<T> {
            type Item = &'a T;
            type IntoIter = <&'a $inner<T> as IntoIterator>::IntoIter;
            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }

        impl<T: Codec $(+ $bound)?> Codec for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                (self.0.len() as u64).encode(out);
                for item in &self.0 {
                    item.encode(out);
                }
            }

            fn decode(input: &mut &[u8]) -> Result<$name<T>, CodecError> {
                Vec::decode(input).map(|items: Vec<T>| $name(items.into_iter().collect()))
            }

            fn show(&self, out: &mut String) {
                out.push('[');
                for (place, item) in self.0.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.show(out);
                }
                out.push(']');
            }
        }
    )*};
}

keeps! {
    /// A queue.
    Queue(VecDeque);
    /// An ordered set.
    Set(BTreeSet): Ord;
}
