; Module specifiers. A string with an escape has several parts and is left out.
(import_statement source: (string . (string_fragment) @specifier .))
(export_statement source: (string . (string_fragment) @specifier .))
(call_expression
  function: (import)
  arguments: (arguments . (string . (string_fragment) @specifier .)))
(call_expression
  function: (identifier) @_function
  arguments: (arguments . (string . (string_fragment) @specifier .))
  (#any-of? @_function "require" "requireUncached" "proxyquire" "importScripts"))
(call_expression
  function: (member_expression
    object: (identifier) @_object
    property: (property_identifier) @_method)
  arguments: (arguments . (string . (string_fragment) @specifier .))
  (#any-of? @_object "require" "jest" "vi" "mock" "td")
  (#any-of? @_method
    "resolve" "mock" "unmock" "doMock" "dontMock" "requireActual" "requireMock" "importActual" "importMock"
    "setMock" "createMockFromModule" "doUnmock" "module" "replace"))

; Other strings.
(string . (string_fragment) @string .)
(template_string . (string_fragment) @string .)

; Documentation, whose types may be imported.
((comment) @comment (#match? @comment "^/\\*\\*"))
