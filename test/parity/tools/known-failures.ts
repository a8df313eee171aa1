// Recorded transcripts that the virtual tools don't reproduce, with the reason. A case that starts to pass must leave.

/** By id in golden/bash/text-cases.jsonl. */
export const KNOWN_TEXT_FAILURES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "chmod-stat", "cmp-comm", "column", "diff", "grep-P", "grep-color", "grep-o-E", "jq-basic", "jq-c-r", "jq-errors", "jq-more", "ls-errors", "openssl-htpasswd", "ps-kill-misc", "tar-gzip", "test-misc",
  ].map((id) => [id, "a command it uses is not there yet"]),
);
