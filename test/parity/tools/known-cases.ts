// Recorded cases (cases/*.jsonl) that come out otherwise, by the reason. One that comes out right must leave.

const BY_REASON: Readonly<Record<string, readonly string[]>> = {
  "a message or status of tar's option parser": [
    'tar xf',
    'tar -x',
    'tar cf x.tar /tmp/nope2',
    'tar xf x.tar --foo',
  ],
  "tar -d isn't there": ['tar cf x.tar a.txt; tar df x.tar; echo x >> a.txt; tar df x.tar'],
  "tar's option isn't there yet": [
    'tar cf x.tar a.txt --owner=5 --group=6; tar tvf x.tar | cut -c1-20',
    'tar cf x.tar a.txt; file x.tar',
  ],
  'the column where diff -y cuts at odd widths': ['diff -y -W 40 a.txt b.txt'],
  'xargs runs what came before the unmatched quote': ['echo "a \'b" | xargs echo'],
  'a rare option or message of od': ['od -S 3 binary', 'od nope', 'od -t z a.txt'],
  "hexdump's own format strings aren't there": [
    'hexdump -e \'1/1 "%02x "\' a.txt',
    'hexdump -e \'16/1 "%02x " "\\n"\' a.txt',
    'hexdump -e \'"%08_ax " 4/1 "%02x " "|" 4/1 "%_p" "|\\n"\' a.txt',
  ],
  "hexdump's second message": ['hexdump nope'],
  "numfmt's rarer options": [
    "numfmt --format='%.2f' --to=iec 1500",
    'numfmt --header --to=iec --field=1 < nums',
    'numfmt --to-unit=1024 4096',
    'numfmt --round=down --to=iec 1999',
    'numfmt --invalid=warn abc 5',
    'numfmt -d: --field=3 --to=si < passwd',
  ],
  'numbers beyond 2^53': ['factor 1234567890123456789'],
  "tree -J's spacing of the report": ['tree -J dir'],
  "column's JSON and hiding of columns": ['column -J -N a,b,c,d table', 'column -s: -t -H 2 passwd'],
  'file knows fewer types than libmagic': [
    'file a.txt run.sh dir link dangling empty utf8 binary crlf data.json csv',
    'file --mime-type a.txt data.json',
    'file bytes long nul tabs',
    'gzip a.txt; file a.txt.gz',
    'file -',
    'file -f sorted1 | head -1',
  ],
  "gawk's place or words in an error": [
    "awk '{print foo(1)}' table",
    "awk 'BEGIN{f=1; f[1]=2}'",
    "awk 'function f(x){x[1]=1} BEGIN{y=1; f(y)}'",
  ],
  "gawk's arrays of arrays": [
    'awk \'BEGIN{a["x"]["y"]=1; for(i in a) for(j in a[i]) print i,j; print isarray(a), typeof(a["x"]["y"])}\'',
  ],
  "gawk's indirect calls": ['awk \'BEGIN{f="len"; print @f("abc")} function len(s){return length(s)}\''],
  "gawk's -n and -b": ['awk -n \'BEGIN{print "0x11"+0}\'', "awk -b '{print length}' utf8"],
  "cat -E of 9.1 shows CR LF as ^M$; others don't": ['cat -E crlf'],
  "an escape of /bin/echo that bash's echo has and it hasn't": ["/bin/echo -e '\\u4f60 \\q \\\\'"],
  'the last digit or the words of a conversion out of range': [
    "/bin/printf '%z\\n' 1",
    "/bin/printf '%d\\n' 99999999999999999999",
    "/bin/printf '%a\\n' 1",
  ],
  "the order of mktemp's checks": ['mktemp -t a/bXXX'],
  'which of two lines has the first reset': ['ls --color=always -C -w 60'],
  'the kernel has no lchown and lutimes, and a link with a slash is followed': [
    'rm link/',
    'touch -h -d @5 link; stat -c %Y link',
    'chown -h 3 link; stat -c %u link a.txt',
  ],
  "stat -f isn't there": ['stat -f -c %T /proc'],
  "find's warning about slashes in -name": ["find dir -warn -name 'a/b'"],
  'a rarity of dfa.c': ["grep -E 'a{1,2,3}' a.txt", "grep -E '*a' words", 'grep -c . binary'],
  'a message or rarity of jq 1.6': [
    'jq -e .a list.json; echo $?',
    "jq -n 'if 1 then 2 else 3 end, if null then 1 end'",
    "jq -n '4 | sqrt, pow(.;2), log2, exp10, exp2, (10|log10)' -c",
    "jq -n '{a'",
    "jq -n '\"abc'",
    "jq -n '}'",
    'jq -n "\'a\'"',
    "jq -n 'input' empty",
    "jq -n 'significand?, (8|logb), (8|gamma|floor), (1|ldexp(.;3))?' -c",
    'jq -n \'"abc" | sub("b";"x","y")\' -c',
  ],
  "regcomp's refusal of a repetition that others take": ["sed 's/a**/x/' words", "sed -E 's/+/x/' a.txt"],
};

/** The reason by the script of the case. */
export const KNOWN_CASE_DIFFERENCES: ReadonlyMap<string, string> = new Map(
  Object.entries(BY_REASON).flatMap(([reason, scripts]) =>
    scripts.map((script) => [script, reason] as const),
  ),
);
