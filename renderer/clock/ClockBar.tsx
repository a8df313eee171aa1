// The bar at the foot of the window: the cluster's time, pause, speed, skips, and how many nodes and Pods are ready.
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';
import { useApp, useStore } from '../state/index.ts';
import { reckon, timeText } from './virtual-time.ts';
import './clock.css';

const SPEEDS = [0.5, 1, 2, 5, 10, 60] as const;

const SKIPS = [
  { seconds: 10, label: 'clock.skipSeconds' },
  { seconds: 60, label: 'clock.skipMinute' },
  { seconds: 600, label: 'clock.skipTenMinutes' },
  { seconds: 3600, label: 'clock.skipHour' },
] as const;

export function ClockBar() {
  const { t } = useTranslation();
  const { paused, speed, skipping } = useApp((store) => store.clock);
  const running = useApp((store) => store.cluster.phase === 'running');
  const { pauseClock, resumeClock, setClockSpeed, skipClock, skipClockUntilReady } = useStore().getState();
  const speeds = SPEEDS.some((known) => known === speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
  return (
    <footer className="clock-bar" aria-label={t('clock.bar')} data-testid="clock-bar">
      <button
        className="icon-button"
        aria-label={paused ? t('clock.resume') : t('clock.pause')}
        title={paused ? t('clock.resume') : t('clock.pause')}
        aria-pressed={paused}
        disabled={!running}
        data-testid="clock-pause"
        onClick={paused ? resumeClock : pauseClock}
      >
        <Icon name={paused ? 'play' : 'pause'} />
      </button>
      <VirtualTime />
      {paused && <span className="chip chip-busy">{t('clock.paused')}</span>}
      {skipping && (
        <span className="chip chip-busy" role="status">
          <span className="spinner" aria-hidden="true" />
          {t('clock.skipping')}
        </span>
      )}
      <span className="bar-divider" />
      <select
        aria-label={t('clock.speed')}
        title={t('clock.speed')}
        value={speed}
        disabled={!running}
        data-testid="clock-speed"
        onChange={(event) => setClockSpeed(Number(event.target.value))}
      >
        {speeds.map((value) => (
          <option key={value} value={value}>
            {t('clock.speedValue', { speed: value })}
          </option>
        ))}
      </select>
      <span className="bar-divider" />
      <div className="skips" role="group" aria-label={t('clock.skip')}>
        <Icon name="skip" />
        {SKIPS.map(({ seconds, label }) => (
          <button
            key={seconds}
            className="bar-button"
            disabled={!running || skipping}
            data-testid={`clock-skip-${seconds}`}
            onClick={() => skipClock(seconds)}
          >
            {t(label)}
          </button>
        ))}
        <button
          className="bar-button"
          title={t('clock.untilReadyHelp')}
          disabled={!running || skipping}
          data-testid="clock-until-ready"
          onClick={skipClockUntilReady}
        >
          {t('clock.untilReady')}
        </button>
      </div>
      <Readiness />
    </footer>
  );
}

/** Redrawn by itself, so that a tick touches nothing else. */
function VirtualTime() {
  const { t } = useTranslation();
  const clock = useApp((store) => store.clock);
  const readAtMs = useApp((store) => store.clockReadAtMs);
  const [nowMs, setNowMs] = useState(() => performance.now());
  const moving = !clock.paused && !clock.skipping;
  useEffect(() => {
    if (!moving) return;
    const timer = setInterval(
      () => setNowMs(performance.now()),
      Math.max(100, Math.min(1000, 1000 / clock.speed)),
    );
    return () => clearInterval(timer);
  }, [moving, clock.speed]);
  return (
    <time className="virtual-time" title={t('clock.time')} data-testid="clock-time">
      {clock.nowMs === 0 ? '—' : timeText(reckon(clock, readAtMs, nowMs))}
    </time>
  );
}

function Readiness() {
  const { t } = useTranslation();
  const { machines, pods } = useApp((store) => store.topology);
  const nodes = machines.filter(({ ready }) => ready !== undefined);
  if (nodes.length === 0) return null;
  const nodesReady = nodes.filter(({ ready }) => ready === true).length;
  const running = pods.filter(({ status }) => status !== 'Completed');
  const podsReady = running.filter(({ ready }) => ready).length;
  return (
    <div className="readiness">
      <span>
        <span className={`dot dot-${nodesReady === nodes.length ? 'good' : 'busy'}`} />
        {t('clock.nodesReady', { ready: nodesReady, total: nodes.length })}
      </span>
      <span>
        <span className={`dot dot-${podsReady === running.length ? 'good' : 'busy'}`} />
        {t('clock.podsReady', { ready: podsReady, total: running.length })}
      </span>
    </div>
  );
}
