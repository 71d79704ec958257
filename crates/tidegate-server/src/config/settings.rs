//! One definition per setting: the field, its documentation and its default.

/// A setting, for the reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The table it stands in; empty at the top.
    pub table: &'static str,
    /// Its key.
    pub key: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// Its default, as written in the definition.
    pub default: String,
    /// What it means.
    pub doc: String,
}

/// Defines a table of settings: a struct that refuses unknown keys, its `Default`, and the list
/// that the reference is made of.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        $name:ident ($table:literal) {
            $($(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:expr,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $kind,)+
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($key: $default,)+ }
            }
        }

        impl $name {
            /// The settings of this table, for the reference.
            pub fn settings() -> Vec<Setting> {
                #[derive(Serialize)]
                struct Shown<T> { value: T }
                let default = $name::default();
                vec![$(Setting {
                    table: $table,
                    key: stringify!($key),
                    kind: stringify!($kind),
                    default: toml::to_string(&Shown { value: &default.$key })
                        .map(|text| text.trim().trim_start_matches("value = ").to_owned())
                        .unwrap_or_default(),
                    doc: [$($doc),+].map(str::trim).join(" "),
                }),+]
            }
        }
    };
}

pub(crate) use settings;
