// Recorded transcripts that the virtual tools don't reproduce, with the reason. A case that starts to pass must leave.

/** By id in golden/bash/text-cases.jsonl. */
export const KNOWN_TEXT_FAILURES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "awk-assoc", "awk-cond", "awk-control", "awk-errors", "awk-fs-regex", "awk-funcs", "awk-getline-system", "awk-print", "awk-printf", "awk-sum", "chmod-stat", "cmp-comm", "column", "diff", "gawk-ext", "grep-P", "grep-color", "grep-o-E", "jq-basic", "jq-c-r", "jq-errors", "jq-more", "ls-errors", "ls-l", "openssl-htpasswd", "paste-join", "ps-kill-misc", "tar-gzip", "test-misc",
  ].map((id) => [id, "a command it uses is not there yet"]),
);
