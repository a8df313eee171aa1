// What may differ between two clusters: ages, times, random names, addresses, ids, and the machine underneath.

type Mask = readonly [RegExp, string];

const MASKS: readonly Mask[] = [
  // Rows of what other users of the recorded cluster had there.
  [/^\S*\b(?:api-[a-z0-9]{6}(?:-\w)?|[0-9a-f]{6}\.drydock\.example\.com)\b.*\n/gm, ''],
  // The recorded server is of a fork that lets everybody read these, and publishes a certificate of its own.
  [/^ +\[\/\.well-known(?:\/\*)?\] .*\n/gm, ''],
  [/^.*\bservice-ca-cert-publisher\b.*\n/gm, ''],
  [/^@@ -\d+,\d+ \+\d+,\d+ @@$/gm, '@@ of a pod with a volume source more @@'],
  [/, kube-system\/leader-election-controller\b/g, ''],
  // Add-ons of a cluster that kubeadm made: the recorded one had no pod network of its own, and its control plane ran outside.
  [/^(?:\S+ +)?(?:\S+\/)?(?:kube-flannel|flannel|kubeadm:)\b.*\n/gm, ''],
  [
    /^(?:kube-system +)?(?:pod\/)?(?:etcd|kube-apiserver|kube-controller-manager|kube-scheduler)-master1 .*\n/gm,
    '',
  ],
  [/\b172\.30\.0\.11?(?!\d)/g, 'API-IP'],
  [/\b(?:192\.168\.10\.10|API-IP):(?:16443|6443)\b/g, 'API-IP:PORT'],
  [/\b16443\b/g, '6443'],
  // Times.
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:\d\d)/g, 'TIME'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4})?( UTC)?/g, 'TIME'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000/g, 'DATE'],
  [/^[EWIF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ /gm, 'KLOG '],
  // Ids and hashes.
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID'],
  [/containerd:\/\/[0-9a-f]{64}/g, 'CONTAINER'],
  [/X509SHA256=[0-9a-f]{64}/g, 'X509SHA256=DIGEST'],
  [/\bsha256:[0-9a-f]{64}/g, 'sha256:DIGEST'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\btouched(=|: )"?\d{10}"?/g, 'touched$1N'],
  [/^ca\.crt: +\d+ bytes$/gm, 'ca.crt: N bytes'],
  [/\beyJ[\w-]+(\.[\w-]+){0,2}/g, 'TOKEN'],
  [/(resourceVersion"?: ?"?|resourceVersion=|metadata\.resourceVersion: ?)\d+/gi, '$1VERSION'],
  [/^( +Resource Version: +)\d+/gm, '$1VERSION'],
  [/\b[A-Za-z0-9+/]{80,}={0,2}/g, 'BASE64'],
  [/\.[0-9a-f]{16}\b/g, '.EVENT'],
  [/((?:[gG]itCommit|[gG]oVersion)"?: ?"?)[\w.]+/g, '$1BUILD'],
  [/^(\s*"?[cC]ount"?: +)\d+/gm, '$1N'],
  [/\(and \d+ other pods\)/g, '(and N other pods)'],
  [/"(exp|iat|nbf|warnafter)":\d{10}\b/g, '"$1":N'],
  [/\bkill: \(\d+\)/g, 'kill: (N)'],
  [/\bin \d+ milliseconds\b/g, 'in N milliseconds'],
  // Addresses.
  [/ on \d+(?:\.\d+){3}:53: no such host/g, ' on RESOLVER: no such host'],
  [/\b127\.0\.0\.1:(1|[2-9])\d{3,4}\b/g, '127.0.0.1:PORT'],
  [/\b10\.244\.\d\.\d{1,3}\b/g, 'POD-IP'],
  [/\b10\.(?:9[6-9]|1\d\d)\.(?!0\.1\b|0\.10\b|0\.0\b)\d{1,3}\.\d{1,3}\b/g, 'SERVICE-IP'],
  [/\b3[0-2]\d{3}\b(?=\/(?:TCP|UDP|SCTP))/g, 'NODE-PORT'],
  [/((?:nodePort|healthCheckNodePort)"?: ?)3[0-2]\d{3}\b/g, '$1NODE-PORT'],
  // Names made by chance, and hashes of templates.
  [/\/tmp\/(kubectl-edit|LIVE|MERGED)-\d+/g, '/tmp/$1-N'],
  [/\b(minutely|nightly|cj)-\d{8}\b/g, '$1-MINUTE'],
  [
    /(pod-template-hash|controller-revision-hash|controller\.kubernetes\.io\/hash)(=|"?: ?"?)[a-z0-9-]+/g,
    '$1$2HASH',
  ],
  [/(-[bcdfghjklmnpqrstvwxz2456789]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])/g, '-SUFFIX'],
  [/-(?=[a-z]*\d)[bcdfghjklmnpqrstvwxz2456789]{6,10}(?![\w-])/g, '-HASH'],
];

const AGE = String.raw`(?:\d+(?:\.\d+)?(?:ms|µs|y|d|h|m|s)){1,3}`;
/** Lines whose numbers with an `m` are quantities, not minutes. */
const QUANTITIES =
  /^\s*(?:- )?"?(?:Container\s+|Pod\s+)?(?:requests\.|limits\.)?(?:cpu|memory|ephemeral-storage)\b/;
const AGES: readonly Mask[] = [
  [new RegExp(String.raw`\(x\d+ over ${AGE}\)`, 'g'), '(xN over AGE)'],
  [new RegExp(String.raw`\d+ \(${AGE} ago\)`, 'g'), 'N (AGE ago)'],
  [new RegExp(String.raw`(?<=^|[\s(])(?:${AGE}|<unknown>|<invalid>)(?=$|[\s)])`, 'g'), 'AGE'],
];
const AGE_OF_EVENT: Mask = [/AGE \(xN over AGE\)/g, 'AGE'];

/** Names and addresses of the workers, where it is the scheduler that chose: both have the same room. */
const PLACES: readonly Mask[] = [
  [/\bworker[12]\b/g, 'WORKER'],
  [/\b172\.30\.0\.1[23]\b/g, 'WORKER-IP'],
];
const ABOUT_NODES = /\b(?:nodes?|worker[12])\b/;

/** A transcript without what varies: masked, blanks collapsed, rows of one set in one order. */
export function masked(transcript: string): string {
  let text = transcript;
  const masks = ABOUT_NODES.test(transcript.split('\n', 1)[0]!) ? MASKS : [...MASKS, ...PLACES];
  for (const [pattern, mask] of masks) text = text.replace(pattern, mask);
  const lines = text.split('\n').map((line) => blanksCollapsed(withoutAges(line)));
  return sameNamesSorted(lines).join('\n');
}

/** The same with its lines in alphabetical order, for output that has none. */
export function sortedLines(text: string): string {
  return text.split('\n').toSorted().join('\n');
}

function withoutAges(line: string): string {
  if (QUANTITIES.test(line)) return line;
  let text = line;
  for (const [pattern, mask] of AGES) text = text.replace(pattern, mask);
  return text.replace(...AGE_OF_EVENT);
}

function blanksCollapsed(line: string): string {
  const indent = /^ */.exec(line)![0];
  return indent + line.slice(indent.length).replace(/ {2,}/g, '  ').replace(/\s+$/, '');
}

/** Rows whose names differ only in their random part come in an order that chance gave. */
function sameNamesSorted(lines: readonly string[]): string[] {
  const sorted: string[] = [];
  let group: string[] = [];
  let groupName = '';
  const flush = (): void => {
    sorted.push(...group.toSorted());
    group = [];
  };
  for (const line of lines) {
    const name = /^(?:\S+ +)?\S*-(?:SUFFIX|HASH|MINUTE)\b/.exec(line)?.[0] ?? '';
    if (name === '' || name !== groupName) flush();
    groupName = name;
    if (name === '') sorted.push(line);
    else group.push(line);
  }
  flush();
  return sorted;
}
