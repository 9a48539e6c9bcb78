// All that the page says, in English and Chinese. `data-t` names an element's text, `data-l` its label for screen readers.

const WORDS = {
  en: {
    skip: "Skip to the drawing", model: "Model", theme: "Light or dark", views: "Views",
    view_read: "Read", view_teach: "Teach", view_runs: "Runs", language: "切换到中文",
    sketch: "Paper: draw digits here", hint: "Draw a digit, or several. Or drop, paste, photograph a picture.", tools: "Tools",
    undo: "Undo", redo: "Redo", clear: "Clear", choose: "Picture", photo: "Camera",
    keys: "Keys: Ctrl+Z undo, Ctrl+Y redo, Delete clear, Tab and arrows choose a box; on the paper, a bar or a box 0–9 say which digit it is, N for no digit.",
    bars: "How likely each digit is", bar: "Press to teach: this is {name}.", bar_none: "Press to teach: this is no digit.",
    none: "none", none_long: "no digit",
    empty: "Nothing is drawn yet.", reads: "{share} sure.", second: "Else {digits} ({share}).", unsure: "Not sure: perhaps {digits}, {share}.",
    rejected: "No digit, as far as I can tell. At best {digits}.", blank: "I see no ink on this.", several: "{count} digits.",
    box: "{name}, {share}", box_rejected: "no digit",
    sees: "What the network sees", glyph: "The digit as the network sees it", glyph_caption: "The digit, cut out, evened out and centred",
    heat: "Which pixels spoke", heat_caption: "Which strokes spoke: red for {name}, blue against it", heat_none: "Which strokes spoke",
    stages: "How it came about", maps: "Feature maps", maps_what: "What each layer makes of it: bright where its feature is found.",
    map: "{layer}: {count} maps of {height} × {width}", map_of: "{layer}: {kept} of {count} maps of {height} × {width}", map_flat: "{layer}: {count} values",
    taught: "Kept as {name}.", taught_none: "Kept as no digit.", take_back: "Take back", taken_back: "Taken back.", unread: "What is on the paper is not read yet.",
    teach_off: "This server keeps no samples (start it with --samples DIR).",
    teach_what: "Where an answer is wrong, press the right digit’s bar (or its key). What the network saw is kept in a folder of your own, and the network can learn from it in seconds.",
    folder: "Kept in {folder}; nothing leaves this machine.", no_samples: "No samples yet. Draw a digit, then press the right digit’s bar.",
    learn: "Learn from my samples", stop: "Stop", keep: "Use the new network", drop: "Drop it", back: "Back to the network before", progress: "Progress",
    compare: "Before and after", of_what: "Read right", before: "before", after: "after", own: "your {count} samples (learnt from)", held: "{count} digits of {name} it was not shown",
    builtin: "the built-in set",
    phase_preparing: "Gathering digits …", phase_training: "Learning: step {step} of {steps}, loss {loss}", phase_measuring: "Comparing …",
    phase_done: "Learnt in {seconds} s. Use it?", phase_worse: "Learnt in {seconds} s, but it reads fewer than before. Better drop it.", phase_kept: "In use now. Written to {file}; the old file is as it was.",
    phase_dropped: "Dropped.", phase_undone: "The network before is in use again.", phase_stopped: "Stopped.", phase_failed: "That failed: {message}", cannot_learn: "This model does not read the ten digits; it cannot be taught here.",
    latest: "Latest samples", remove: "Remove this {name}", sample: "sample of {name}",
    runs_folder: "Runs in {folder}. Start one: maobi train", no_runs: "No runs here yet. Start one with: maobi train", runs_off: "This server shows no runs (start it with --runs DIR).",
    epochs: "{count} epochs", at_work: "at work", finished: "finished", unfinished: "unfinished", curve: "{name}: {last} at the end, best {best}",
    training: "training", validation: "validation", confusion: "Confusion matrix", confusion_what: "Rows: what it is. Columns: what was read.", mistakes: "Worst mistakes", wrong_count: "{count} of {images} read wrong",
    no_report: "Not evaluated yet: maobi evaluate --model {folder} --report {folder}/report",
    run_lost: "Nothing more comes of this run: its folder or the server has gone.",
    failed: "The server did not answer: {message}", busy: "The server is busy.", late: "nothing came for {seconds} s",
    stage: { "photo": "the picture", "looked at": "the part looked at" },
  },
  zh: {
    skip: "跳到画板", model: "模型", theme: "浅色或深色", views: "页面",
    view_read: "识别", view_teach: "教它", view_runs: "训练", language: "Switch to English",
    sketch: "画纸：在这里写数字", hint: "写一个或几个数字，也可以拖入、粘贴或拍一张图片。", tools: "工具",
    undo: "撤销", redo: "重做", clear: "清空", choose: "图片", photo: "拍照",
    keys: "按键：Ctrl+Z 撤销，Ctrl+Y 重做，Delete 清空，Tab 与方向键选择方框；在画纸、长条或方框上，0–9 说出正确的数字，N 表示不是数字。",
    bars: "每个数字的可能性", bar: "按下即教它：这是 {name}。", bar_none: "按下即教它：这不是数字。",
    none: "非", none_long: "不是数字",
    empty: "还没有写任何东西。", reads: "把握 {share}。", second: "否则是 {digits}（{share}）。", unsure: "不确定：也许是 {digits}，{share}。",
    rejected: "看起来不是数字，最多像 {digits}。", blank: "上面没有墨迹。", several: "{count} 个数字。",
    box: "{name}，{share}", box_rejected: "不是数字",
    sees: "网络看到了什么", glyph: "网络看到的数字", glyph_caption: "切出、匀笔、居中之后的数字",
    heat: "哪些像素起了作用", heat_caption: "哪些笔画起了作用：红色支持 {name}，蓝色反对", heat_none: "哪些笔画起了作用",
    stages: "一步一步怎么来的", maps: "特征图", maps_what: "每一层看到的东西：亮处是它的特征。",
    map: "{layer}：{count} 张 {height} × {width} 特征图", map_of: "{layer}：{count} 张 {height} × {width} 特征图中的 {kept} 张", map_flat: "{layer}：{count} 个值",
    taught: "已作为 {name} 保存。", taught_none: "已作为非数字保存。", take_back: "收回", taken_back: "已收回。", unread: "画纸上的内容还没有识别。",
    teach_off: "此服务不保存样本（启动时加 --samples DIR）。",
    teach_what: "答案不对时，按下正确数字的那一条（或它的键）。网络看到的图保存在你自己的文件夹里，几秒钟就能从中学习。",
    folder: "保存在 {folder}；数据不离开这台机器。", no_samples: "还没有样本。写一个数字，再按下正确数字的那一条。",
    learn: "从我的样本学习", stop: "停止", keep: "使用新网络", drop: "丢弃", back: "回到之前的网络", progress: "进度",
    compare: "之前与之后", of_what: "读对的", before: "之前", after: "之后", own: "你的 {count} 个样本（学过的）", held: "{name} 中没有给它看过的 {count} 个数字",
    builtin: "内置数字",
    phase_preparing: "正在准备数字……", phase_training: "学习中：第 {step} 步，共 {steps} 步，损失 {loss}", phase_measuring: "正在比较……",
    phase_done: "{seconds} 秒学完。要用它吗？", phase_worse: "{seconds} 秒学完，但读对的比之前少，最好丢弃。", phase_kept: "已在使用。写入 {file}；原文件没有改动。",
    phase_dropped: "已丢弃。", phase_undone: "又在使用之前的网络。", phase_stopped: "已停止。", phase_failed: "失败了：{message}", cannot_learn: "这个模型不读十个数字，不能在这里教。",
    latest: "最近的样本", remove: "删除这个 {name}", sample: "{name} 的样本",
    runs_folder: "训练在 {folder}。开始一次：maobi train", no_runs: "这里还没有训练。开始一次：maobi train", runs_off: "此服务不显示训练（启动时加 --runs DIR）。",
    epochs: "{count} 轮", at_work: "进行中", finished: "已完成", unfinished: "未完成", curve: "{name}：最后 {last}，最好 {best}",
    training: "训练", validation: "验证", confusion: "混淆矩阵", confusion_what: "行：实际。列：读成。", mistakes: "最严重的错误", wrong_count: "{images} 个中读错 {count} 个",
    no_report: "还没有评估：maobi evaluate --model {folder} --report {folder}/report",
    run_lost: "收不到这次训练的消息了：它的文件夹或服务已经不在。",
    failed: "服务没有回答：{message}", busy: "服务正忙。", late: "{seconds} 秒内没有回应",
    stage: {
      "photo": "图片", "looked at": "看的部分", "ground": "底色", "ink": "墨迹", "ink, ruled lines taken out": "墨迹，横线已去掉", "the pieces chosen": "选中的笔画", "stroke evened out": "匀笔之后",
      "what the network sees": "网络看到的",
    },
  },
};

const KEY = "maobi-language";
const listeners = [];
let language = "en";

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be off.
  }
}

/** A text of the page; `{name}` in it is taken from `values`. */
export function t(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** The title of a stage of the pipeline, which the server gives in English. */
export function stageTitle(title) {
  return WORDS[language].stage[title] ?? title;
}

/** A probability as a percentage that never claims certainty. */
export function percent(share) {
  if (share > 0.9995) return "> 99.9 %";
  return `${(100 * share).toFixed(share < 0.1 || share > 0.99 ? 1 : 0)} %`;
}

/** Calls back now and whenever the language changes. */
export function translated(listener) {
  listeners.push(listener);
  listener();
}

function apply() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-l]")) {
    element.setAttribute("aria-label", t(element.dataset.l));
    if (element.matches("button")) element.title = t(element.dataset.l);
  }
  for (const listener of listeners) listener();
}

export function start(button) {
  const wanted = stored() ?? navigator.language;
  language = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
  const name = () => {
    button.textContent = language === "zh" ? "English" : "中文";
    button.lang = language === "zh" ? "en" : "zh";
    button.setAttribute("aria-label", t("language"));
  };
  button.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    try {
      localStorage.setItem(KEY, language);
    } catch {
      // Then it holds for this visit.
    }
    name();
    apply();
  });
  name();
  apply();
}
