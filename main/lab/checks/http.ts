// Checks by HTTP requests from a machine, each on its own connection, over the same network as everything else.
import { isStatus, resources, type Service } from '../../kubernetes/api/index.ts';
import type { HttpCondition } from '../lab.ts';
import type { World as LabWorld } from '../../cluster/index.ts';
import { quoted } from './command.ts';
import { HOLDS, missing, type Verdict } from './verdict.ts';

export async function checkHttp(world: LabWorld, condition: HttpCondition): Promise<Verdict> {
  const url = condition.url ?? (await serviceUrl(world, condition.service!));
  if (typeof url !== 'string') return url;
  const bodies: string[] = [];
  for (let sent = 0; sent < condition.requests; sent++) {
    const result = await world.httpGet(condition.from, url);
    if (!result.ok) {
      return missing(
        `从 ${condition.from} 访问 ${url} 没有得到应答：${result.message}。`,
        `${condition.from} got no answer from ${url}: ${result.message}.`,
      );
    }
    const { status } = condition.expect;
    if (status !== undefined && result.status !== status) {
      return missing(
        `${url} 的状态码是 ${result.status}，应为 ${status}。`,
        `${url} answered with status ${result.status} instead of ${status}.`,
      );
    }
    bodies.push(result.body.trim());
  }
  return judge(condition, bodies);
}

function judge({ expect, requests }: HttpCondition, bodies: readonly string[]): Verdict {
  const found = quoted(bodies);
  if (expect.sameBody === true && new Set(bodies).size > 1) {
    return missing(
      `${requests} 次访问得到了不同的回答：${found}。`,
      `The ${requests} requests got different answers: ${found}.`,
    );
  }
  const distinct = new Set(bodies).size;
  if (expect.distinct !== undefined && distinct !== expect.distinct) {
    return missing(
      `${requests} 次访问得到 ${distinct} 种回答，应为 ${expect.distinct} 种：${found}。`,
      `The ${requests} requests got ${distinct} different answers instead of ${expect.distinct}: ${found}.`,
    );
  }
  if (expect.bodies !== undefined) {
    const wanted = new Set(expect.bodies);
    const complete =
      [...wanted].every((body) => bodies.includes(body)) && bodies.every((body) => wanted.has(body));
    if (!complete) {
      return missing(
        `${requests} 次访问得到 ${found}，应当正好有 ${quoted(expect.bodies)}。`,
        `The ${requests} requests got ${found}; expected were ${quoted(expect.bodies)}.`,
      );
    }
  }
  return HOLDS;
}

async function serviceUrl(
  world: LabWorld,
  service: NonNullable<HttpCondition['service']>,
): Promise<string | Verdict> {
  const { namespace, name, port, path = '/' } = service;
  try {
    const { spec } = await world.api.get<Service>(resources.services, name, { namespace });
    const address = spec?.clusterIP;
    if (address === undefined || address === '' || address === 'None') {
      return missing(`Service ${name} 没有集群 IP。`, `The Service ${name} has no cluster IP.`);
    }
    return `http://${address}:${port}${path}`;
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    return missing(
      `命名空间 ${namespace} 里还没有 Service ${name}。`,
      `There is no Service ${name} in namespace ${namespace} yet.`,
    );
  }
}
