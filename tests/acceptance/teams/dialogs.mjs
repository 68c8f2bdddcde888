// Plays dialogs in the client as a person would: types, clicks, reads what is on the screen, and takes pictures.
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [base, browserPath, shots] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
await page.route("**/*", (route) =>
  new URL(route.request().url()).hostname === "127.0.0.1" ? route.continue() : route.abort());

// What the client and the bot say to each other, as its log shows it; what the screen shows is asked of the page.
const { default: WebSocket } = await import("ws");
const log = [];
const socket = new WebSocket(base.replace("http", "ws") + "/_ws_conversation/v1/conversations/stream");
socket.on("message", (data) => log.push(JSON.parse(data)));
const config = (await (await fetch(`${base}/_internal/v1/config`)).json()).config;

const failures = [];
async function dialog(name, play) {
  try {
    await play();
    console.log(`ok      ${name}`);
  } catch (error) {
    failures.push(name);
    console.log(`FAILED  ${name}: ${String(error.message ?? error).split("\n").slice(0, 4).join(" / ")}`);
    await page.screenshot({ path: `${shots}/failed-${failures.length}.png` });
  }
}
const picture = (name) => page.screenshot({ path: `${shots}/${name}.png` });
// What is said, without the list of chats, which repeats the latest words of each.
async function text() {
  const lists = await page.locator("[role=tree]").allInnerTexts();
  return lists.reduce((all, one) => all.replace(one, ""), await page.locator("body").innerText());
}
async function shows(words, seconds = 60) {
  const until = Date.now() + seconds * 1000;
  while (!(await text()).includes(words)) {
    if (Date.now() > until) throw new Error(`the screen does not show: ${words}`);
    await page.waitForTimeout(100);
  }
}
function must(truth, words) {
  if (!truth) throw new Error(words);
}
const box = () => page.locator("div[role=textbox][contenteditable=true]").last();
async function write(words, { mention = false } = {}) {
  await box().click();
  if (mention) {
    await page.keyboard.type("@");
    await page.locator(`[role=listbox] >> text=${config.bot.name}`).first().click();
  }
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}
const chat = (name) => page.getByRole("treeitem", { name }).first().click();

await page.goto(base);
await page.waitForSelector("div[role=textbox]");
await page.waitForTimeout(1500);
await page.mouse.click(1248, 64); // closes its log panel, which repeats what is said

await dialog("being installed is answered by a welcome with what the person may use", async () => {
  const url = `${base}/_debug/conversation/${config.personalChat.id}/installation`;
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  await shows("answer questions from your company's documents", 30);
  await shows("company, filings");
  must(((await text()).match(/Write to me here/g) ?? []).length === 1, "the welcome stands there once");
  await picture("01-welcome");
});

await dialog("a suggestion can be pressed and is answered in a stream with its source", async () => {
  await page.getByRole("button", { name: /leave/ }).first().click();
  await shows("found nothing about that");
  await picture("02-suggestion");
});

await dialog("a personal chat streams a cited answer, labelled as made by AI", async () => {
  const before = log.length;
  await write("What was net revenue of Acme Ferries in 2025?");
  await shows("91.4 million");
  await shows("AI generated");
  await shows("Sources");
  must(JSON.stringify(log.slice(before)).includes("Confidential"), "the answer does not bear its mark");
  must(JSON.stringify(log.slice(before)).includes("stream"), "nothing was streamed");
  await picture("03-personal-answer");
});

await dialog("a citation opens", async () => {
  await page.locator("text=/^1$/").last().hover();
  await page.waitForTimeout(500);
  await picture("04-citation");
});

await dialog("a thumb down asks why and is taken", async () => {
  await page.getByRole("button", { name: "Dislike" }).last().click();
  await page.locator("textarea").last().fill("The figure is old.");
  await picture("05-feedback");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForTimeout(800);
  const close = page.getByRole("button", { name: "Close" });
  if (await close.count()) await close.last().click();
});

await dialog("an admin asks who can read the sources, and the card says so", async () => {
  await page.getByRole("button", { name: "Who can read this?" }).last().click();
  await shows("finance (teams-user:");
  await picture("06-who-can-read");
});

await dialog("in a group chat nothing is answered without a mention, and a mention is", async () => {
  await chat(/Group Chat/);
  await write("Nobody is asked here.");
  await page.waitForTimeout(1500);
  await write(" when does the canteen open?", { mention: true });
  await shows("6:30");
  await shows("AI generated");
  must(!(await text()).includes("asked anything here"), "an unasked answer");
  await picture("07-group");
});

await dialog("a group hears only what everybody may read, and the asker the rest in the personal chat", async () => {
  await write(" what was net revenue of Acme Ferries in 2025?", { mention: true });
  await shows("about 90 million");
  must(!(await text()).includes("91.4"), "the group was told a figure of the finance team");
  await picture("08-group-hears-less");
  await chat(/Personal Chat/);
  const until = Date.now() + 20000;
  while (((await text()).match(/91\.4 million/g) ?? []).length < 2) {
    must(Date.now() < until, "the fuller answer did not come in private");
    await page.waitForTimeout(200);
  }
  await picture("09-private-supplement");
});

await dialog("a channel answers in the thread of the question", async () => {
  await chat(/General/);
  const start = page.getByRole("button", { name: /Start a post|New conversation|Start a new/ });
  if (await start.count()) await start.first().click();
  await box().click();
  await page.keyboard.type("@");
  await page.locator(`[role=listbox] >> text=${config.bot.name}`).first().click();
  await page.keyboard.type(" when does the canteen close?");
  await page.getByRole("button", { name: "Post" }).last().click();
  await shows("closes at 15:00");
  await shows("AI generated");
  await picture("10-channel");
  await page.locator("div[role=textbox][contenteditable=true]").nth(1).click(); // in the thread
  await page.keyboard.type("@");
  await page.locator(`[role=listbox] >> text=${config.bot.name}`).first().click();
  await page.keyboard.type(" and what was net revenue of Acme Ferries in 2025?");
  await page.keyboard.press("Enter");
  await shows("about 90 million");
  must(!(await text()).includes("91.4"), "the channel was told a figure of the finance team");
  await picture("11-channel-thread");
});

writeFileSync(`${shots}/said.json`, JSON.stringify(log, null, 1));
await browser.close();
socket.close();
console.log(failures.length ? `${failures.length} dialogs failed` : "every dialog went as it should");
process.exit(failures.length ? 1 : 0);
