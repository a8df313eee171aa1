// The guide: a lab's steps, their texts with blocks that type themselves, checks, hints and score.
// What a check means is the engine's; here it is only asked for and shown.
export { Guide } from './Guide.tsx';
