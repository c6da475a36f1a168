// The bridge to the app around the page, which takes the payment: see "The bridge" in templates/README.md.
const bridge = document.getElementById("bridge");
const button = bridge.querySelector("button");
const { order, provider, product } = bridge.dataset;

// What the app store gave the app. As long as it is here, the button hands it in again and nobody pays twice.
let proof = null;

const show = (what) => {
  for (const line of bridge.querySelectorAll("[data-shown]")) line.hidden = line.dataset.shown !== what;
  button.hidden = ["working", "taken", "refused"].includes(what);
};

// The app gives what the app store gave it: {signed_transaction} or {purchase_token}; nothing, where the buyer thought better of it.
const paid = async (given) => {
  if (!given) return show(null);
  proof = given;
  show("working");
  try {
    const answer = await fetch(`/v1/orders/${order}/receipts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(proof),
    });
    if (answer.ok) return location.reload();
    if (answer.status >= 500 || answer.status === 429 || answer.status === 401) return show("unheard");
    const code = (await answer.json().catch(() => null))?.error?.code;
    // The order has changed, and its page says how; any other refusal left it as it was.
    if (code === "pending" || code === "revoked") return location.reload();
    show(code === "transaction_taken" ? "taken" : "refused");
  } catch {
    show("unheard");
  }
};

const pay = async () => {
  if (proof) return paid(proof);
  show("working");
  try {
    const answer = await window.stickerStoreApp.pay({ order, provider, product });
    // An app that cannot answer here says it with an event.
    if (answer !== undefined) await paid(answer);
  } catch {
    show("failed");
  }
};

addEventListener("sticker-store:paid", (event) => paid(event.detail));
addEventListener("sticker-store:failed", () => show("failed"));
button.addEventListener("click", pay);
if (typeof window.stickerStoreApp?.pay === "function") show(null);
