//! Words that later versions may add to: known ones are variants, others are kept as they came.

/// Declares an enum over the words of a JSON string field. Its schema names the known words with their
/// meanings and allows others, so that a new word is not a new schema version.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $(#[doc = $word_doc:literal] $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $word_doc] $variant,)*
            /// A word of a later version.
            Other(String),
        }

        impl $name {
            /// The known words, each with its meaning.
            pub const WORDS: &[(&str, &str)] = &[$(($word, $word_doc.trim_ascii())),*];

            /// The word in JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Ok(match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word),
                })
            }
        }

        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({
                    "type": "string",
                    "anyOf": [
                        $({ "const": $word, "description": $word_doc.trim_ascii() },)*
                        { "description": "Another word, which a later release may add." },
                    ],
                    "examples": [$($word),*],
                })
            }
        }
    };
}

pub(crate) use vocabulary;
