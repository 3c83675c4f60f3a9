(import_statement (string_value (string_content) @url))
(call_expression
  (function_name) @_function
  (arguments (string_value (string_content) @url))
  (#any-of? @_function "url" "src"))
(call_expression (function_name) @_function (arguments (plain_value) @url) (#eq? @_function "url"))
