// Runs the bridge against a page and a store that are made up: the second argument has its answers as JSON.
// Says on one line what the buyer sees after each press of the button.
import { pathToFileURL } from "node:url";

const [script, given] = process.argv.slice(2);
const answers = JSON.parse(given);
const texts = ["outside", "working", "failed", "unheard", "taken", "refused"];

const lines = texts.map((shown) => ({ dataset: { shown }, hidden: shown !== "outside" }));
const pressed = [];
const button = { hidden: true, addEventListener: (_, press) => pressed.push(press) };
const bridge = {
  dataset: { order: "order-1", provider: "apple", product: "tier1" },
  querySelector: () => button,
  querySelectorAll: () => lines,
};
let [payments, reloads] = [0, 0];
globalThis.document = { getElementById: () => bridge };
globalThis.location = { reload: () => void reloads++ };
globalThis.addEventListener = () => {};
globalThis.window = { stickerStoreApp: { pay: async () => ({ signed_transaction: `paid ${++payments}` }) } };
globalThis.fetch = async () => {
  const { status, code } = answers.shift();
  return new Response(JSON.stringify(code ? { error: { code } } : {}), { status });
};

await import(pathToFileURL(script));
const seen = [];
while (answers.length > 0) {
  await pressed[0]();
  const shown = lines.filter((line) => !line.hidden).map((line) => line.dataset.shown);
  seen.push({ shown, button: !button.hidden, payments, reloads });
}
process.stdout.write(JSON.stringify(seen));
