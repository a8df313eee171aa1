// What stands in the picture: a machine's box, a Pod, a Service.
import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { useTranslation } from 'react-i18next';

import type { TopologyMachine, TopologyPod, TopologyService } from '../../preload/contract.ts';
import { machineStateText, podTone, roleText } from './words.ts';

type MachineNodeData = Node<{ machine: TopologyMachine | undefined; empty: boolean }, 'machine'>;
type PodNodeData = Node<{ pod: TopologyPod }, 'pod'>;
type ServiceNodeData = Node<{ service: TopologyService }, 'service'>;
export type PictureNode = MachineNodeData | PodNodeData | ServiceNodeData;

export function MachineNode({ data: { machine, empty } }: NodeProps<MachineNodeData>) {
  const { t } = useTranslation();
  if (machine === undefined) {
    return (
      <div className="machine-node machine-nowhere">
        <div className="machine-head">
          <strong>{t('topology.waiting')}</strong>
        </div>
      </div>
    );
  }
  const { name, address, role, ready, unschedulable } = machine;
  const state = t(machineStateText(machine));
  const tone = ready === undefined ? 'none' : !ready ? 'bad' : unschedulable ? 'busy' : 'good';
  return (
    <div
      className={`machine-node machine-${role}`}
      role="img"
      aria-label={t('topology.machineLabel', { name, address, state })}
      data-testid="machine-node"
      data-ready={ready}
    >
      <div className="machine-head">
        {ready !== undefined && <span className={`dot dot-${tone}`} title={state} />}
        <strong>{name}</strong>
        <span>{address}</span>
        <em>{ready === undefined || (ready && !unschedulable) ? t(roleText(role)) : state}</em>
      </div>
      {empty && <p className="machine-empty">{t('topology.noPods')}</p>}
      <Handle type="target" position={Position.Top} isConnectable={false} />
    </div>
  );
}

export function PodNode({ data: { pod } }: NodeProps<PodNodeData>) {
  const { t } = useTranslation();
  const tone = podTone(pod);
  const { namespace, name, status, address, restarts, node } = pod;
  const label = t('topology.podLabel', { namespace, name, status, node: node ?? t('topology.none') });
  return (
    <div
      className={`pod-node pod-${tone}`}
      role="img"
      aria-label={label}
      title={`${namespace}/${name}\n${status}${address === undefined ? '' : `\n${address}`}`}
      data-testid="pod-node"
      data-status={status}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className={`dot dot-${tone}`} />
      <PodName name={name} />
      <span className="pod-facts">
        <span>{tone === 'good' ? (address ?? status) : status}</span>
        {restarts > 0 && <span title={t('topology.restartsCount', { restarts })}>↻{restarts}</span>}
      </span>
    </div>
  );
}

export function ServiceNode({ data: { service } }: NodeProps<ServiceNodeData>) {
  const { t } = useTranslation();
  const { namespace, name, type, clusterIP, ports, endpoints, sessionAffinity, externalAddresses } = service;
  const ready = endpoints.filter((endpoint) => endpoint.ready).length;
  const total = endpoints.length;
  const address = externalAddresses[0] ?? clusterIP ?? t('topology.none');
  const label = t('topology.serviceLabel', { namespace, name, type, clusterIP: address, ready, total });
  const tone = total === 0 ? 'none' : ready === total ? 'good' : ready > 0 ? 'busy' : 'bad';
  return (
    <div
      className="service-node"
      role="img"
      aria-label={label}
      title={`${namespace}/${name}\n${type} ${address}\n${ports.join(', ')}`}
      data-testid="service-node"
      data-affinity={sessionAffinity}
    >
      <div className="service-head">
        <strong>{name}</strong>
        <em>{type}</em>
      </div>
      <div className="service-address">
        {address} <span>{ports.join(', ')}</span>
      </div>
      <div className="service-facts">
        <span className={`dot dot-${tone}`} />
        <span>{t('topology.endpointsReady', { ready, total })}</span>
        {sessionAffinity !== 'None' && <span className="chip">{t('topology.sticky')}</span>}
      </div>
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

/** Letters at the end that stay when the name is too long: a generated name's tell Pods apart. */
const TAIL = 6;

function PodName({ name }: { name: string }) {
  return (
    <span className="pod-name">
      <span>{name.slice(0, -TAIL)}</span>
      <span>{name.slice(-TAIL)}</span>
    </span>
  );
}
