use super::*;

fn found(text: &str, language: &str) -> Vec<(&'static str, String)> {
    let parts = references(text, language).expect("it parses");
    for part in &parts {
        let at: String = text.chars().skip(part.range.start).take(part.range.len()).collect();
        assert!(part.value.ends_with(&at), "{part:?} is at {at:?}");
    }
    parts.into_iter().map(|part| (part.kind, part.value)).collect()
}

fn named<'a>(parts: &'a [(&'static str, String)], kind: &str) -> Vec<&'a str> {
    parts.iter().filter(|part| part.0 == kind).map(|part| part.1.as_str()).collect()
}

#[test]
fn modules_of_javascript() {
    let text = "import a, {b} from './a.js'\nexport * from \"../b\"\nconst c = require('./c'), d = import('./d')\n\
        jest.mock('./e'); require.resolve('./f'); // import './no'\nconst s = '/x/y.js' + 'plain' + `a/${1}.js`\n";
    for language in ["javascript", "typescript", "tsx"] {
        let parts = found(text, language);
        assert_eq!(named(&parts, "specifier"), ["./a.js", "../b", "./c", "./d", "./e", "./f"], "{language}");
        assert_eq!(named(&parts, "string"), ["/x/y.js"]);
    }
}

#[test]
fn modules_of_typescript() {
    let text =
        "import type {A} from './a'\nimport b = require('./b')\nlet x: import('./c').C\nexport type {D} from './d'\n";
    let specifiers = found(text, "typescript");
    assert_eq!(named(&specifiers, "specifier"), ["./a", "./b", "./c", "./d"]);
    assert_eq!(named(&specifiers, "string"), [""; 0]);
}

#[test]
fn types_that_documentation_imports() {
    let text = "/** @typedef { import(\"./a.js\").A } A */\n/**\n * é @import {B, C} from './b.js'\n * @import * as d from \"./d\"\n\
        * @param {import ( './no' )} x\n * reimport('./no') x.import('./no') import('./no\n * @import E, see from it\n\
        * @from './no' import(\"\") import('./n o')\n */\n// import('./no')\n/* import('./no') */\nlet f = \"/** import('./no') */\";\n";
    for language in ["javascript", "typescript", "tsx"] {
        let parts = found(text, language);
        assert_eq!(named(&parts, "specifier"), ["./a.js", "./b.js", "./d"], "{language}");
    }
}

#[test]
fn imports_of_go() {
    let text = "package main\n\nimport (\n\tq \"example.com/m/old\"\n\t`fmt`\n)\n\n//go:embed static/a.txt\nvar s = q.X(\"a/b.txt\", old.T{})\n";
    let parts = found(text, "go");
    assert_eq!(named(&parts, "import"), ["example.com/m/old", "fmt"]);
    assert_eq!(named(&parts, "alias"), ["q"]);
    assert_eq!(named(&parts, "qualifier"), ["q", "old"]);
    assert_eq!(named(&parts, "embed"), ["//go:embed static/a.txt"]);
    assert_eq!(named(&parts, "string"), ["a/b.txt"]);
}

#[test]
fn includes_of_c() {
    let text = "#include \"a/b.h\"\n# include <sys/c.h>\n#if X\n#include \"d.h\"\n#endif\n/* #include \"no.h\" */\nchar *s = \"e/f.c\";\n";
    for language in ["c", "cpp"] {
        let parts = found(text, language);
        assert_eq!(named(&parts, "include"), ["a/b.h", "d.h"]);
        assert_eq!(named(&parts, "system"), ["sys/c.h"]);
        assert_eq!(named(&parts, "string"), ["e/f.c"]);
    }
}

#[test]
fn paths_of_rust() {
    let text = "mod a;\npub(crate) use crate::{b::{self, c::D}, e as f, g::*};\nmod t { use super::h; mod i; }\n\
        fn x() { crate::j::k(); assert!(l::m::<u8>()); y() }\n#[path = \"n.rs\"] mod o;\n\
        const S: &str = include_str!(\"p.txt\");\n";
    let parts = found(text, "rust");
    assert_eq!(named(&parts, "mod"), ["|a", "t|i", "|o"]);
    assert_eq!(
        named(&parts, "use"),
        [
            "|crate",
            "|crate::b",
            "|crate::b::self",
            "|crate::b::c",
            "|crate::b::c::D",
            "|crate::e",
            "|crate::g",
            "t|super",
            "t|super::h",
        ]
    );
    assert_eq!(named(&parts, "path"), ["|crate", "|crate::j", "|crate::j::k", "|l", "|l::m"]);
    assert_eq!(named(&parts, "file"), ["n.rs"]);
    assert_eq!(named(&parts, "include"), ["p.txt"]);
}

#[test]
fn names_of_java() {
    let text = "package a.b;\nimport c.Old;\nimport static c.D.x;\nimport e.*;\n\
        /** {@link Old#f(int)}, {@code no}. @see c.Old.\n * @throws Bad if not */\n\
        @Mark(key = Old.X) public class New<T> extends Base implements g.h.I {\n\
        New(Old old) throws Bad { this.f = Old.make().x(); super.g(); c.Old.y(); }\n\
        class Inner {} int m() { List<Old> l = new ArrayList<>(); for (Old o : l) {} return Old::go; }\n\
        String s = \"c.Old\", t = \"no name\"; }\n";
    let parts = found(text, "java");
    assert_eq!(named(&parts, "package"), ["a.b"]);
    assert_eq!(named(&parts, "import"), ["c.Old"]);
    assert_eq!(named(&parts, "static"), ["c.D.x"]);
    assert_eq!(named(&parts, "all"), ["e"]);
    assert_eq!(named(&parts, "doc"), ["Old", "c.Old", "Bad"]);
    assert_eq!(named(&parts, "type"), ["New"]);
    assert_eq!(named(&parts, "constructor"), ["New"]);
    assert_eq!(named(&parts, "declared"), ["T", "old", "Inner", "l", "o", "s", "t"]);
    let names = named(&parts, "name");
    assert_eq!(names.iter().filter(|name| **name == "Old").count(), 6, "{names:?}");
    assert!(["Mark", "Base", "g", "Bad", "List", "ArrayList"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(["key", "m", "make", "x", "go", "X"].iter().all(|name| !names.contains(name)), "{names:?}");
    assert_eq!(named(&parts, "qualified"), ["Old.X", "g.h.I", "this.f", "c.Old"]);
    assert_eq!(named(&parts, "string"), ["c.Old"]);
}

#[test]
fn destinations_of_css_and_html() {
    let text = "@import \"a.css\";\n@import url(b.css);\nx { background: url('../c.png') no-repeat, url( d.svg ) }\n/* url(no.png) */";
    assert_eq!(named(&found(text, "css"), "url"), ["a.css", "b.css", "../c.png", "d.svg"]);
    let parts = references("<img src=é.png><a href='b.html'>", "html").expect("it parses");
    assert_eq!(parts.iter().map(|part| part.range.clone()).collect::<Vec<_>>(), [9..14, 24..30]);
}

/// The most memory that this process had.
fn resident_mib() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct it is given.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.ru_maxrss >> 10
}

#[test]
fn a_parse_that_takes_too_much_memory_is_given_up_and_leaves_nothing_behind() {
    for _ in 0..3 {
        for length in [6_000, 60_000, 600_000] {
            assert!(references(&"x=>".repeat(length / 3), "c").is_err(), "{length} bytes");
        }
        assert_eq!(found("#include \"a.h\"\n", "c").len(), 1);
    }
    assert!(resident_mib() < 1_024, "{} MiB", resident_mib());
}

#[test]
fn hostile_text_is_bounded() {
    for piece in
        ["(", "[", "{", "a.", "<a ", "if(", "use {", "#if 1\n", "\"", "`${", "x=>", "*", "<T,", "::", "mod a{", "/*"]
    {
        for language in ["javascript", "typescript", "tsx", "go", "rust", "java", "c", "cpp", "css", "html"] {
            let text = piece.repeat(60_000 / piece.len());
            let begun = crate::grammar::spent();
            let _ = references(&text, language);
            let took = crate::grammar::spent() - begun;
            assert!(took.as_secs() < 10, "{language} {piece:?}: {took:?} of processor time");
            assert!(resident_mib() < 1_024, "{language} {piece:?}: {} MiB", resident_mib());
        }
    }
    assert!(references(&"a".repeat(crate::grammar::LARGEST + 1), "go").is_err());
    assert!(references("", "cobol").is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_has_references_within_it(text in "\\PC{0,300}|([a-z:{}(),;\"'/\\\\<>#!`$*. é\n]|use |mod |import |url){0,120}") {
        for language in ["javascript", "typescript", "tsx", "go", "rust", "java", "c", "cpp", "css", "html"] {
            if let Ok(parts) = references(&text, language) {
                let length = text.chars().count();
                proptest::prop_assert!(parts.iter().all(|p| p.range.start <= p.range.end && p.range.end <= length));
            }
        }
    }
}
