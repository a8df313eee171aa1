// The picture: machines as boxes with their Pods, Services above them, wired to their endpoints.
import { Background, Panel, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
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
const FIT = { padding: 0.08, minZoom: 0.35, maxZoom: 1.1 };

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
  const layout = useStickyLayout(topology, tidied);
  const nodes = useMemo(() => nodesOf(topology, layout), [topology, layout]);
  const edges = useMemo(() => edgesOf(topology, layout), [topology, layout]);
  const { fit, onMoveStart } = useAutoFit(layout);

  return (
    <div className="topology-picture">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        colorMode={theme}
        minZoom={0.15}
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

/** Lays out each topology with the one before in mind; `tidied` makes it forget. */
function useStickyLayout(topology: Topology, tidied: number): TopologyLayout {
  const [kept, setKept] = useState(() => ({
    topology,
    tidied,
    ...layoutTopology(topology, NO_MEMORY),
  }));
  if (kept.topology === topology && kept.tidied === tidied) return kept.layout;
  const memory: LayoutMemory = kept.tidied === tidied ? kept.memory : NO_MEMORY;
  const next = layoutTopology(topology, memory);
  setKept({ topology, tidied, ...next });
  return next.layout;
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
  for (const [name, { x, y, width, height }] of layout.machines) {
    const count = topology.pods.filter((pod) => layout.pods.get(keyOf(pod))?.machine === name).length;
    nodes.push({
      id: `machine ${name}`,
      type: 'machine',
      position: { x, y },
      width,
      height,
      data: { machine: name === NOWHERE ? undefined : machines.get(name), empty: count === 0 },
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
