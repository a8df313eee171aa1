// The shelf: courses and their labs, as cards.
export { Shelf } from './Shelf.tsx';
