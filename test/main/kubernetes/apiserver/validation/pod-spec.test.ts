import { expect, test } from 'vitest';
import { faultsOf } from '../../../../support/judged.ts';

const withSpec = (spec: object): string[] =>
  faultsOf('pods', { spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const withContainer = (container: object, spec: object = {}): string[] =>
  faultsOf('pods', { spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec } }).map((text) =>
    text.replace(/^spec\.containers\[0\]\./, ''),
  );

test.each([
  [
    { dnsPolicy: 'None', dnsConfig: {} },
    'dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ],
  [
    { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } },
    'dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
  ],
  [{ dnsConfig: { options: [{}] } }, 'dnsConfig.options[0]: Required value: must not be empty'],
  [
    { preemptionPolicy: 'X' },
    'preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
  ],
  [{ hostUsers: false, hostNetwork: true }, 'hostNetwork: Forbidden: when `hostUsers` is false'],
  [
    { hostnameOverride: 'h', setHostnameAsFQDN: true },
    'hostnameOverride: Forbidden: may not be set when `setHostnameAsFQDN` is true',
  ],
  [
    { overhead: { gpu: '1' } },
    [
      'overhead.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
      'overhead.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
    ],
  ],
  [
    { resourceClaims: [{ name: 'a' }] },
    'resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
  ],
  [{ os: { name: 'plan9' } }, 'os: Unsupported value: "plan9": supported values: "linux", "windows"'],
  [
    { os: { name: 'linux' }, securityContext: { windowsOptions: {} } },
    'securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
  ],
  [
    { securityContext: { fsGroup: -1 } },
    'securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    { securityContext: { fsGroupChangePolicy: 'X' } },
    'securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"',
  ],
  [
    { securityContext: { appArmorProfile: { type: 'Localhost' } } },
    'securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost',
  ],
  [
    { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } },
    'securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when \'hostNetwork\' is true',
  ],
  [
    {
      securityContext: {
        sysctls: [
          { name: 'kernel.x', value: '1' },
          { name: 'kernel.x', value: '2' },
        ],
      },
    },
    'securityContext.sysctls[1].name: Duplicate value: "kernel.x"',
  ],
  [
    {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'z',
          whenUnsatisfiable: 'ScheduleAnyway',
          minDomains: 2,
          labelSelector: {},
        },
      ],
    },
    'topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
  ],
  [
    {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', matchLabelKeys: ['a'] },
      ],
    },
    'topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
  ],
  [
    { tolerations: [{ key: 'k', operator: 'Equal', value: 'a b' }] },
    expect.stringMatching(
      /^spec\.tolerations\[0\]\.operator: Invalid value: "a b": a valid label must be an empty string/,
    ),
  ],
  [
    {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: 'metadata.uid', operator: 'In', values: ['a', 'b'] }] },
            ],
          },
        },
      },
    },
    [
      "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "metadata.uid": not a valid field selector key',
    ],
  ],
  [
    {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 0, podAffinityTerm: { topologyKey: 'z', namespaces: ['A'] } },
          ],
        },
      },
    },
    [
      'affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      expect.stringMatching(/podAffinityTerm\.namespace: Invalid value: "A": a lowercase RFC 1123 label/),
    ],
  ],
])('of a pod with %j it says what is wrong', (spec, expected) => {
  expect(withSpec(spec)).toEqual(
    [expected].flat().map((text: unknown) => (typeof text === 'string' ? `spec.${text}` : text)),
  );
});

test.each([
  [
    { terminationMessagePolicy: 'X' },
    'terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
  ],
  [
    { resizePolicy: [{ resourceName: 'gpu', restartPolicy: 'NotRequired' }] },
    'resizePolicy: Unsupported value: "gpu": supported values: "cpu", "memory"',
  ],
  [
    { resources: { requests: { 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '2Mi' } } },
    'resources: Forbidden: HugePages require cpu or memory',
  ],
  [
    { resources: { requests: { 'nvidia.com/gpu': '1' } } },
    'resources.limits: Required value: Limit must be set for non overcommitable resources',
  ],
  [
    { resources: { requests: { 'nvidia.com/gpu': '1' }, limits: { 'nvidia.com/gpu': '2' } } },
    'resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
  ],
  [
    { resources: { limits: { 'nvidia.com/gpu': '500m' } } },
    [
      'resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
      'resources.requests[nvidia.com/gpu]: Invalid value: "500m": must be an integer',
    ],
  ],
  [{ resources: { claims: [{ name: 'x' }] } }, 'resources.claims[0]: Not found: "x"'],
  [
    { securityContext: { procMount: 'Unmasked' } },
    'securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
  ],
  [
    { securityContext: { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'x' } } },
    'securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"RuntimeDefault","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost',
  ],
  [
    { readinessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: 3 } },
    'readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
  ],
  [
    { livenessProbe: { grpc: { port: 0 } } },
    'livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ],
  [
    { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
    'lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
  ],
  [
    { lifecycle: { postStart: { httpGet: { port: 80, httpHeaders: [{ name: 'A B', value: '' }] } } } },
    expect.stringMatching(
      /^lifecycle\.postStart\.httpGet\.httpHeaders: Invalid value: "A B": a valid HTTP header/,
    ),
  ],
  [
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } }] },
    'env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
  ],
  [
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }] },
    'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
  ],
  [
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }] },
    'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  [
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } }] },
    expect.stringMatching(/^env\[0\]\.valueFrom\.fieldRef: Invalid value: "a b": name part must consist of/),
  ],
  [
    { envFrom: [{ prefix: 'A=', configMapRef: { name: 'c' } }] },
    'envFrom[0].prefix: Invalid value: "A=": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
  ],
  [
    { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] },
    'restartPolicy: Required value: must specify restartPolicy when restart rules are used',
  ],
])('of a container with %j it says what is wrong', (container, expected) => {
  expect(withContainer(container)).toEqual([expected].flat());
});

test('containers may not take the same port of the host, nor another on its network', () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  expect(withSpec({ containers: ['a', 'b'].map((name) => ({ name, image: 'i', ports })) })).toEqual([
    'spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//8080"',
  ]);
});

test('a pod that asks for less as a whole than its containers do is refused', () => {
  expect(
    withContainer({ resources: { requests: { cpu: '2' } } }, { resources: { requests: { cpu: '1' } } }),
  ).toEqual([
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
  ]);
});

test('an init container without restartPolicy Always has no probes, hooks or resize policy', () => {
  const probe = { exec: { command: ['x'] } };
  const init = {
    name: 'i',
    image: 'i',
    startupProbe: probe,
    resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  };
  expect(withSpec({ initContainers: [init] }).map((text) => text.split(': ')[0])).toEqual([
    'spec.initContainers[0].startupProbe',
    'spec.initContainers[0].resizePolicy',
  ]);
  expect(withSpec({ initContainers: [{ ...init, restartPolicy: 'Always' }] })).toEqual([]);
});
