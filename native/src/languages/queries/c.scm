(preproc_include path: (string_literal (string_content) @include))
((preproc_include path: (system_lib_string) @system) (#match? @system "^<[^<>]*>$"))
(string_literal . (string_content) @string .)
