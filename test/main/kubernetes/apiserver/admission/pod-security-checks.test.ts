import { describe, expect, test } from 'vitest';
import type { PodSpec } from '../../../../../main/kubernetes/api/index.ts';
import {
  violationsOf,
  type Level,
} from '../../../../../main/kubernetes/apiserver/admission/pod-security-checks.ts';

const told = (spec: object, level: Level, annotations?: Record<string, string>): string[] =>
  violationsOf(spec as PodSpec, level, annotations).map(({ reason, detail }) => `${reason} (${detail})`);

/** A pod of containers a, b … with these fields. */
const containers = (...list: object[]): object => ({
  containers: list.map((fields, index) => ({ name: 'ab'[index], image: 'x', ...fields })),
});
const secured = (securityContext: object): object => containers({ securityContext });

/** A container that even the strictest level takes. */
const STRICT = {
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

describe('baseline forbids', () => {
  for (const [what, spec, violation] of [
    [
      'host namespaces',
      { ...containers({}), hostPID: true, hostNetwork: true },
      'host namespaces (hostNetwork=true, hostPID=true)',
    ],
    [
      'volumes of the host',
      { ...containers({}), volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      'hostPath volumes (volume "v")',
    ],
    [
      'ports of the host',
      containers(
        { ports: [{ containerPort: 1, hostPort: 80 }] },
        { ports: [{ containerPort: 1, hostPort: 81 }] },
      ),
      'hostPort (containers "a", "b" use hostPorts 80, 81)',
    ],
    [
      'privileged containers',
      secured({ privileged: true }),
      'privileged (container "a" must not set securityContext.privileged=true)',
    ],
    [
      'added capabilities',
      secured({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "a" must not include "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'an unmasked /proc',
      secured({ procMount: 'Unmasked' }),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'SELinux options',
      {
        ...secured({ seLinuxOptions: { user: 'u' } }),
        securityContext: { seLinuxOptions: { type: 'spc_t' } },
      },
      'seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      'an unconfined seccomp profile',
      { ...containers({}), securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'an unconfined AppArmor profile',
      secured({ appArmorProfile: { type: 'Unconfined' } }),
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'unsafe sysctls',
      { ...containers({}), securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'processes of a Windows host',
      secured({ windowsOptions: { hostProcess: true } }),
      'hostProcess (container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'probes of other hosts',
      containers({ livenessProbe: { httpGet: { port: 80, host: '1.2.3.4' } } }),
      'probe or lifecycle host (container "a" uses probe or lifecycle host "1.2.3.4")',
    ],
  ] as const) {
    test(what, () => expect(told(spec, 'baseline')).toEqual([violation]));
  }

  test('an AppArmor profile that an annotation sets', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/a';
    expect(told(containers({}), 'baseline', { [key]: 'unconfined' })).toEqual([
      `forbidden AppArmor profile (annotation "${key}" must not set AppArmor profile type to "unconfined")`,
    ]);
    expect(told(containers({}), 'baseline', { [key]: 'localhost/p' })).toEqual([]);
  });
});

describe('restricted', () => {
  test('wants four things said of a container that says nothing', () => {
    expect(told(containers({}), 'restricted')).toEqual([
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])',
      'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
  });

  test('is content with one that says them', () =>
    expect(told(containers(STRICT), 'restricted')).toEqual([]));

  test('allows volumes of the cluster only, and no root', () => {
    const volumes = [{ name: 'v', nfs: { server: 's', path: '/' } }];
    expect(told({ ...containers(STRICT), volumes, securityContext: { runAsUser: 0 } }, 'restricted')).toEqual(
      [
        'restricted volume types (volume "v" uses restricted volume type "nfs")',
        'runAsUser=0 (pod must not set runAsUser=0)',
      ],
    );
  });
});

test('privileged forbids nothing', () => {
  expect(told({ ...secured({ privileged: true }), hostNetwork: true }, 'privileged')).toEqual([]);
});
