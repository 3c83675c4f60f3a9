//! `kairos-guard`: the pre-commit hook. Looks at the blobs that are staged and refuses the commit (exit 1) if one of them
//! brings in what surely looks like a credential. The value itself is never printed.
//!
//! ```text
//! kairos-guard          for a hook: a line of what was looked at, or what was found and what to do, on stderr
//! kairos-guard --json   one object on stdout; exit 0 whatever was found
//! ```
mod report;
mod shown;
mod staged;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let json = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--json"] => true,
        _ => {
            eprintln!("kairos-guard: usage: kairos-guard [--json]");
            return ExitCode::from(2);
        }
    };
    match staged::look() {
        Ok(seen) if json => {
            println!("{}", report::as_json(&seen));
            ExitCode::SUCCESS
        }
        Ok(seen) => {
            eprint!("{}", report::as_text(&seen));
            if seen.refuses() {
                ExitCode::from(1)
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(error) => {
            eprintln!("kairos guard: {error}, so nothing was checked and the commit is refused.\nCommit without this check: git commit --no-verify");
            ExitCode::from(1)
        }
    }
}
