// Log lines in klog's format, as Kubernetes' components write them.

/** `I1120 18:54:21.000000    1234 kubelet.go:123] "Message" key="value"`. Times are UTC. */
export function klogLine(
  severity: 'I' | 'W' | 'E',
  nowMs: number,
  pid: number,
  source: string,
  message: string,
): string {
  const time = new Date(Math.floor(nowMs)).toISOString();
  const micros = String(Math.floor((nowMs - Math.floor(nowMs)) * 1000)).padStart(3, '0');
  return `${severity}${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}${micros} ${String(pid).padStart(7)} ${source}] ${message}\n`;
}
