export { BadInputError, DenyList, Keyring, Verifier } from './verifier.js';
export type { Fault, Page, Refusal, Verdict } from './verifier.js';
export { Refresher } from './refresher.js';
export { Failure } from './store-client.js';
export type { Options, Pace } from './refresher.js';
