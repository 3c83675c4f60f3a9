(import_require_clause source: (string . (string_fragment) @specifier .))
(module name: (string . (string_fragment) @specifier .))
