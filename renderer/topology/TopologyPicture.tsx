// The picture: machines as boxes with their Pods, Services above them, wired to their endpoints.
import { Background, Panel, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from '@xyflow/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Topology } from '../../preload/contract.ts';
import { Icon, useResolvedTheme } from '../design/index.ts';
import { MachineNode, PodNode, ServiceNode, type PictureNode } from './nodes.tsx';
import { Wire, type WireEdge } from './Wire.tsx';
import {
  keyOf,
  layoutTopology,
  NO_MEMORY,
  NOWHERE,
  type LayoutMemory,
  type TopologyLayout,
} from './topology-layout.ts';

import '@xyflow/react/dist/base.css';

const NODE_TYPES = { machine: MachineNode, pod: PodNode, service: ServiceNode };
const EDGE_TYPES = { wire: Wire };
/** Below this zoom nothing can be read: Pods are patches of their state's colour, machines have larger names. */
const FAR_ZOOM = 0.42;
const FIT = { padding: 0.08, minZoom: 0.12, maxZoom: 1.1 };

export function TopologyPicture({ topology }: { topology: Topology }) {
  return (
    <ReactFlowProvider>
      <Picture topology={topology} />
    </ReactFlowProvider>
  );
}

function Picture({ topology }: { topology: Topology }) {
  const { t } = useTranslation();
  const theme = useResolvedTheme();
  const [tidied, setTidied] = useState(0);
  const { layout, nodes, edges } = usePicture(topology, tidied);
  const isFar = useStore(({ transform }) => transform[2] < FAR_ZOOM);
  const { fit, onMoveStart } = useAutoFit(layout);

  return (
    <div className={isFar ? 'topology-picture is-far' : 'topology-picture'}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={theme}
        minZoom={0.1}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnDoubleClick={false}
        proOptions={{ hideAttribution: true }}
        onMoveStart={onMoveStart}
        aria-label={t('topology.picture')}
      >
        <Background gap={24} size={1} />
        <Panel position="bottom-right" className="topology-tools">
          <button
            className="icon-button"
            aria-label={t('topology.tidy')}
            title={t('topology.tidy')}
            onClick={() => {
              setTidied((count) => count + 1);
              fit();
            }}
          >
            <Icon name="tidy" />
          </button>
          <button
            className="icon-button"
            aria-label={t('topology.fit')}
            title={t('topology.fit')}
            onClick={fit}
          >
            <Icon name="fit" />
          </button>
        </Panel>
      </ReactFlow>
    </div>
  );
}

interface Drawn {
  readonly topology: Topology;
  readonly tidied: number;
  readonly layout: TopologyLayout;
  readonly memory: LayoutMemory;
  readonly nodes: PictureNode[];
  readonly edges: WireEdge[];
}

/** Draws each topology with the one before in mind; `tidied` makes it forget where things stood. */
function usePicture(topology: Topology, tidied: number): Drawn {
  const [kept, setKept] = useState(() => draw(topology, tidied));
  if (kept.topology === topology && kept.tidied === tidied) return kept;
  const next = draw(topology, tidied, kept);
  setKept(next);
  return next;
}

function draw(topology: Topology, tidied: number, before?: Drawn): Drawn {
  const remembered = before?.tidied === tidied ? before.memory : NO_MEMORY;
  const { layout, memory } = layoutTopology(topology, remembered);
  return {
    topology,
    tidied,
    layout,
    memory,
    nodes: reuse(before?.nodes ?? [], nodesOf(topology, layout)),
    edges: reuse(before?.edges ?? [], edgesOf(topology, layout)),
  };
}

/** Takes over what hasn't changed, so that only what has is drawn again. */
function reuse<T extends { readonly id: string }>(before: readonly T[], now: readonly T[]): T[] {
  const old = new Map(before.map((item) => [item.id, item]));
  return now.map((item) => {
    const same = old.get(item.id);
    return same !== undefined && JSON.stringify(same) === JSON.stringify(item) ? same : item;
  });
}

/** Keeps all in view until the person moves the picture; `fit` begins again. */
function useAutoFit(layout: TopologyLayout): { fit: () => void; onMoveStart: (event: unknown) => void } {
  const { fitView } = useReactFlow();
  const paneWidth = useStore((state) => state.width);
  const paneHeight = useStore((state) => state.height);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current || paneWidth === 0) return;
    const frame = requestAnimationFrame(() => void fitView(FIT));
    return () => cancelAnimationFrame(frame);
  }, [fitView, layout.width, layout.height, paneWidth, paneHeight]);
  const fit = useCallback(() => {
    moved.current = false;
    requestAnimationFrame(() => void fitView(FIT));
  }, [fitView]);
  // Without an event it was the picture that moved itself.
  const onMoveStart = useCallback((event: unknown) => {
    if (event !== null) moved.current = true;
  }, []);
  return { fit, onMoveStart };
}

function nodesOf(topology: Topology, layout: TopologyLayout): PictureNode[] {
  const nodes: PictureNode[] = [];
  const machines = new Map(topology.machines.map((machine) => [machine.name, machine]));
  const occupied = new Set([...layout.pods.values()].map(({ machine }) => machine));
  for (const [name, { x, y, width, height }] of layout.machines) {
    nodes.push({
      id: `machine ${name}`,
      type: 'machine',
      position: { x, y },
      width,
      height,
      data: { machine: name === NOWHERE ? undefined : machines.get(name), empty: !occupied.has(name) },
    });
  }
  for (const pod of topology.pods) {
    const box = layout.pods.get(keyOf(pod));
    if (box === undefined) continue;
    nodes.push({
      id: `pod ${keyOf(pod)}`,
      type: 'pod',
      parentId: `machine ${box.machine}`,
      position: { x: box.x, y: box.y },
      width: box.width,
      height: box.height,
      data: { pod },
    });
  }
  for (const service of topology.services) {
    const box = layout.services.get(keyOf(service));
    if (box === undefined) continue;
    nodes.push({
      id: `service ${keyOf(service)}`,
      type: 'service',
      position: { x: box.x, y: box.y },
      width: box.width,
      height: box.height,
      data: { service },
    });
  }
  return nodes;
}

function edgesOf(topology: Topology, layout: TopologyLayout): WireEdge[] {
  const machines = new Map(topology.machines.map(({ name, address }) => [address, name]));
  return topology.services.flatMap((service) =>
    service.endpoints.flatMap(({ pod, address, ready }): WireEdge[] => {
      // The API server's endpoints are machines, not Pods.
      const machine = pod === '' ? machines.get(address) : undefined;
      const target = layout.pods.has(pod) ? `pod ${pod}` : machine && `machine ${machine}`;
      if (target === undefined) return [];
      return [
        {
          id: `${keyOf(service)} ${target}`,
          source: `service ${keyOf(service)}`,
          target,
          type: 'wire',
          data: {
            lane: layout.services.get(keyOf(service))?.slot ?? 0,
            into: machine === undefined ? 'left' : 'top',
          },
          className: ready ? 'edge-ready' : 'edge-unready',
          zIndex: 0,
        },
      ];
    }),
  );
}
