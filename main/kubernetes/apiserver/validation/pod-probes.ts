// Probes, lifecycle hooks and their handlers (pkg/apis/core/validation validateProbe, validateHandler).
import type { Container, PodSpec, Probe } from '../../api/types.ts';
import { required } from '../refusals.ts';
import type { Faults } from './checks.ts';

type Hook = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;
type Handler = Hook & Pick<Probe, 'grpc'>;

const HEADER_NAME_MESSAGE =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

/** A container's hooks and probes, in the order in which the server looks at them. */
export function checkHooksAndProbes(faults: Faults, at: string, container: Container, spec: PodSpec): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle?.[hook];
    if (handler !== undefined) checkHandler(faults, `${at}.lifecycle.${hook}`, handler, spec);
  }
  if (lifecycle?.stopSignal !== undefined && spec.os === undefined)
    faults.forbidden(`${at}.lifecycle.stopSignal`, 'may not be set for containers with empty `spec.os.name`');
  if (livenessProbe !== undefined) checkProbe(faults, `${at}.livenessProbe`, livenessProbe, spec, true);
  if (readinessProbe !== undefined) {
    checkProbe(faults, `${at}.readinessProbe`, readinessProbe, spec, false);
    if (readinessProbe.terminationGracePeriodSeconds !== undefined)
      faults.invalid(
        `${at}.readinessProbe.terminationGracePeriodSeconds`,
        readinessProbe.terminationGracePeriodSeconds,
        'must not be set for readinessProbes',
      );
  }
  if (startupProbe !== undefined) checkProbe(faults, `${at}.startupProbe`, startupProbe, spec, true);
}

/** `onlyOnce`: of a kind that has succeeded after one success. */
function checkProbe(faults: Faults, at: string, probe: Probe, spec: PodSpec, onlyOnce: boolean): void {
  checkHandler(faults, at, probe as Handler, spec);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    faults.notNegative(`${at}.${field}`, probe[field]);
  }
  faults.positive(`${at}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds);
  if (onlyOnce && probe.successThreshold !== 1 && (probe.successThreshold ?? 0) >= 0)
    faults.invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1');
}

function checkHandler(faults: Faults, at: string, handler: Handler, spec: PodSpec): void {
  const kinds = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter(
    (kind) => handler[kind] !== undefined,
  );
  if (kinds.length === 0) {
    faults.add(required(at, 'must specify a handler type'));
    return;
  }
  checkAction(faults, at, { [kinds[0]!]: handler[kinds[0]!] }, spec);
  for (const kind of kinds.slice(1))
    faults.forbidden(`${at}.${kind}`, 'may not specify more than 1 handler type');
}

function checkAction(faults: Faults, at: string, handler: Handler, spec: PodSpec): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) faults.add(required(`${at}.exec.command`));
  if (httpGet !== undefined) {
    faults.required(`${at}.httpGet.path`, httpGet.path);
    faults.portOrName(`${at}.httpGet.port`, httpGet.port);
    faults.word(`${at}.httpGet.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']);
    for (const { name } of httpGet.httpHeaders ?? [])
      if (!/^[-A-Za-z0-9]+$/.test(name))
        faults.invalid(`${at}.httpGet.httpHeaders`, name, HEADER_NAME_MESSAGE);
  }
  if (tcpSocket !== undefined) faults.portOrName(`${at}.tcpSocket.port`, tcpSocket.port);
  if (grpc !== undefined) faults.port(`${at}.grpc.port`, grpc.port);
  const graceSeconds = spec.terminationGracePeriodSeconds;
  if (
    sleep !== undefined &&
    (sleep.seconds < 0 || (graceSeconds !== undefined && sleep.seconds > graceSeconds))
  )
    faults.invalid(
      `${at}.sleep`,
      sleep.seconds,
      `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds ?? 0})`,
    );
}
