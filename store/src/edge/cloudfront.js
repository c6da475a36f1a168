// The densities that are built, and the widths of pictures.
const LADDER = [@LADDER@];
const WIDTHS = [@WIDTHS@];

function handler(event) {
    const request = event.request;
    request.querystring = normalised(request.uri, request.querystring);
    return request;
}

// Other fields, which apps and trackers add, neither reach the store nor make copies.
function normalised(path, query) {
    if (/^\/media\/[0-9a-f]+\.webp$/.test(path)) {
        return width(query);
    }
    const kind = /^\/dl\/[0-9]+\.(sticker|zip)$/.exec(path);
    if (!kind) {
        return {};
    }
    const asked = { density: density(query.density) };
    const format = formatOf(query.format, kind[1]);
    if (format) {
        asked.format = format;
    }
    return asked;
}

// The smallest density that is built and is enough, which is the one that the store would choose. What makes no sense becomes one spelling
// of each mistake, which the store refuses.
function density(field) {
    if (!field) {
        return once("@DEFAULT@");
    }
    if (isTwice(field)) {
        return twice();
    }
    const wanted = /^[0-9]+$/.test(field.value) ? Number(field.value) : 0;
    if (wanted < 1 || wanted > @MOST@) {
        return once("0");
    }
    const enough = LADDER.find((built) => built >= wanted);
    return once(String(enough || LADDER[LADDER.length - 1]));
}

function formatOf(field, kind) {
    if (!field) {
        return null;
    }
    if (isTwice(field)) {
        return twice();
    }
    if (field.value !== "png" && field.value !== "webp") {
        return once("0");
    }
    // A bundle is the same in every format.
    return kind === "zip" ? null : once(field.value);
}

function width(query) {
    const field = query.width;
    // The store ignores `width` without a value.
    if (!field || (field.value === "" && !isTwice(field))) {
        return {};
    }
    const listed = !isTwice(field) && WIDTHS.find((listed) => String(listed) === field.value);
    return { width: once(listed ? field.value : "0") };
}

function isTwice(field) {
    return Boolean(field.multiValue && field.multiValue.length > 1);
}

function once(value) {
    return { value: value };
}

function twice() {
    return { value: "0", multiValue: [{ value: "0" }, { value: "0" }] };
}
