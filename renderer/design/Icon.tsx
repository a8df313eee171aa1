// The icons: 16 by 16, drawn with strokes in the colour of the text. They decorate; what a control does is in its label.

const PATHS = {
  back: 'M9.5 3.5 5 8l4.5 4.5',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  chevron: 'm4.5 6.5 3.5 3.5 3.5-3.5',
  clock: 'M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2ZM8 4.8V8l2.2 1.6',
  close: 'm4 4 8 8M12 4l-8 8',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  cross: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  door: 'M3 13.5h10M4.5 13.5v-11h7v11M9.3 8v.4',
  down: 'm3.5 6 4.5 4.5L12.5 6',
  file: 'M4 2.5h5l3 3v8H4zM9 2.5v3h3M6 8.5h4M6 11h4',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  forward: 'M6.5 3.5 11 8l-4.5 4.5',
  globe:
    'M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2ZM2.2 8h11.6M8 2.2c3.5 3.6 3.5 8 0 11.6-3.5-3.6-3.5-8 0-11.6Z',
  graph: 'M3 2.5h4v3.5H3zM9.5 10h4v3.5h-4zM2.5 10h4v3.5h-4zM5 6v4M5 8h6.5v2',
  hint: 'M5.8 11.2c-1.3-.9-2-2.2-2-3.7a4.2 4.2 0 0 1 8.4 0c0 1.5-.7 2.8-2 3.7M6 11.4h4M6.5 13.7h3',
  info: 'M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2ZM8 7.2v3.6M8 5v.3',
  keyboard: 'M1.8 4h12.4v8H1.8zM4 6.5h.4M6.6 6.5h.4M9.2 6.5h.4M11.8 6.5h.4M5 9.5h6',
  more: 'M3 7.6v.8M8 7.6v.8M13 7.6v.8M3.4 8h-.8M8.4 8h-.8M13.4 8h-.8',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3v10l8-5z',
  plus: 'M8 3v10M3 8h10',
  reset: 'M3 3v3.5h3.5M3.3 6.3A5.3 5.3 0 1 1 2.9 9.4',
  settings: 'M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M8.5 3v3h3V3zM4.5 10v3h3v-3z',
  skip: 'm3 3.5 5 4.5-5 4.5zM8.5 3.5l5 4.5-5 4.5z',
  sun: 'M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  table: 'M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 3v10',
  terminal: 'm3 4.5 3.5 3.5L3 11.5M8 12h5',
  tidy: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  up: 'M3.5 10 8 5.5l4.5 4.5',
  warning: 'M8 2.5 14 13H2zM8 6.5v3M8 11.3v.2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
