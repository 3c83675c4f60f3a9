//! Tries each mechanism by itself, in a child of its own, and says which work here.
use serde_json::{json, Map, Value};

use crate::{
    failure::{Failure, Layer, Outcome},
    landlock, limits, namespaces, seccomp,
};

type Trial = fn() -> Outcome<()>;

/// `{"probe": {layer: null | why}}`.
pub fn report() -> Value {
    let trials: [(Layer, Trial); 3] = [
        (Layer::Namespaces, namespaces::enter),
        (Layer::Landlock, || {
            limits::no_new_privileges()?;
            landlock::probe()
        }),
        (Layer::Seccomp, || {
            limits::no_new_privileges()?;
            seccomp::restrict(false)
        }),
    ];
    let words: Map<String, Value> =
        trials.iter().map(|(layer, trial)| (layer.name().to_owned(), tried(*layer, *trial))).collect();
    json!({ "probe": words })
}

fn tried(layer: Layer, trial: Trial) -> Value {
    use std::io::{Read, Write};
    let outcome = || -> std::io::Result<String> {
        let (mut reader, mut writer) = crate::command::pipe()?;
        // SAFETY: this process has one thread; the child only tries, tells and exits.
        match unsafe { libc::fork() } {
            0 => {
                drop(reader);
                let why = trial().err().map(|failure: Failure| failure.why).unwrap_or_else(|| "works".into());
                let told = writer.write_all(why.as_bytes()).is_ok();
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!told)) }
            }
            child if child > 0 => {
                drop(writer);
                let mut text = String::new();
                reader.read_to_string(&mut text)?;
                // SAFETY: reaps exactly that child.
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
                Ok(text)
            }
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    match outcome() {
        Ok(text) if text == "works" => Value::Null,
        Ok(text) if text.is_empty() => json!(format!("{} killed its trial", layer.name())),
        Ok(text) => json!(text),
        Err(error) => json!(error.to_string()),
    }
}
