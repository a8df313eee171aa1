// jq's functions that are written in jq.
import { parseJq, type Filter } from './jq-parse.ts';

const SOURCES: readonly string[] = [
  'def paths(f): . as $dot | paths | select(. as $p | $dot | getpath($p) | f);',
  'def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;',
  'def recurse(f; cond): def r: ., (f | select(cond) | r); r;',
  'def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;',
  'def IN(s): any(s == .; .);',
  'def IN(src; s): any(src == s; .);',
  'def INDEX(stream; idx_expr): reduce stream as $row ({}; .[$row | idx_expr | tostring] |= $row);',
  'def INDEX(idx_expr): INDEX(.[]; idx_expr);',
  'def dateadd(u; n): . + n;',
  'def datesub(u; n): . - n;',
  'def date: todate;',
  'def fromstream(f): { x: null, e: false } as $init | foreach f as $i ($init; if .e then $init else . end | if $i | length == 2 then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1]) else setpath(["e"]; $i[0] | length == 1) end; if .e then .x else empty end);',
  'def truncate_stream(stream): . as $n | null | stream | . as $input | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;',
  'def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 then [.captures[].string] else .string end;',
  'def splits($re; flags): split($re; flags) | .[];',
  'def finites: select(isinfinite or isnan | not);',
  'def normals: select(isnormal);',
  'def bsearch($target): if length == 0 then -1 elif length == 1 then (if $target == .[0] then 0 elif $target < .[0] then -1 else -2 end) else . as $in | [0, length - 1, null] | until(.[0] > .[1] or .[2] != null; ((.[0] + .[1]) / 2 | floor) as $mid | if $in[$mid] == $target then .[2] = $mid elif $in[$mid] < $target then .[0] = $mid + 1 else .[1] = $mid - 1 end) | if .[2] != null then .[2] else -1 - .[0] end end;',
  'def debug(msg): (msg | debug | empty), .;',
  'def add(f): reduce f as $x (null; . + $x);',
];

export interface Defined {
  readonly parameters: readonly string[];
  readonly body: Filter;
}

let definitions: Map<string, Defined> | undefined;

/** The definition of `name/arity`, if it is one of these. */
export function preludeOf(key: string): Defined | undefined {
  if (definitions === undefined) {
    definitions = new Map();
    for (const source of SOURCES) {
      const parsed = parseJq(`${source} .`);
      if (parsed.kind !== 'define') continue;
      definitions.set(`${parsed.name}/${parsed.parameters.length}`, parsed);
    }
  }
  return definitions.get(key);
}
