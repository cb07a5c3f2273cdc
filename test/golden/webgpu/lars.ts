const webgpuLARS0: WebGpuVariant = {
  stores: [0, 2],
  scratch: 0,
  cells: 1,
  partials: 0,
  state: [],
  observed: [0],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 2, 3, 4]]
    }]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> v_: array<T>;
  fn pass0(id: u32, first: u32, end: u32) {
    let mu = layer.s[0].x;
    let lr = layer.s[0].y;
    let decay = layer.s[0].z;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let v = v_[i];
      let g = g_[i];
      let v_2 = mu * v + lr * (g + decay * w); // v := μ * v + lr * rate * (g + decay * w
      let w_2 = w - v_2; // w := w -
      w_[i] = w_2;
      v_[i] = v_2;
    }
  }
  fn finish0() {
    cells[layer.at + 0u] = 1.0;
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    if (group.x == 0u && id == 0u) { finish0(); }
  }
  `
}

const webgpuLARS1: WebGpuVariant = {
  stores: [0, 2],
  scratch: 0,
  cells: 4,
  partials: 2,
  state: [],
  observed: [2],
  segments: [{
    parts: [{
      pass: ['part0', [0, 1, 2, 3]],
      finish: ['meet0', [0, 1]]
    }, {
      pass: ['part1', [0, 1, 2, 3, 4]]
    }],
    whole: ['whole0', [0, 1, 2, 3, 4]]
  }],
  code: /* wgsl */ `
  @group(0) @binding(2) var<storage, read_write> w_: array<T>;
  @group(0) @binding(3) var<storage, read> g_: array<T>;
  @group(0) @binding(4) var<storage, read_write> v_: array<T>;
  var<workgroup> bin0: array<f32, 64>;
  var<workgroup> bin1: array<f32, 64>;
  fn pass0(id: u32, first: u32, end: u32) {
    var all0 = T(0.0);
    var all1 = T(0.0);
    for (var i = first; i < end;) {
      var block0 = T(0.0);
      var block1 = T(0.0);
      for (var n = 0u; n < 16u && i < end; n++) {
        let w = w_[i];
        let g = g_[i];
        block0 = block0 + w * w;
        block1 = block1 + g * g;
        i += 64u;
      }
      all0 = all0 + block0;
      all1 = all1 + block1;
    }
    bin0[id] = sum_lanes(all0);
    bin1[id] = sum_lanes(all1);
  }
  fn gather0(id: u32) {
    for (var half = 32u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (id < half) {
        bin0[id] = bin0[id] + bin0[id + half];
        bin1[id] = bin1[id] + bin1[id + half];
      }
    }
  }
  fn finish0() {
    let x = sqrt(bin0[0]);
    let x_2 = sqrt(bin1[0]);
    let scaled = (x > 0.0) & (x_2 > 0.0); // scaled = adapt and ‖w‖ > 0 and ‖g‖ >
    let rate = select(1.0, layer.s[0].w * x / (x_2 + layer.s[0].z * x + layer.s[1].x), scaled); // rate = if scaled then η * ‖w‖ / (‖g‖ + decay * ‖w‖ + ε) else
    cells[layer.at + 0u] = bin0[0];
    cells[layer.at + 1u] = bin1[0];
    cells[layer.at + 2u] = rate;
    cells[layer.at + 3u] = layer.s[0].y * rate;
  }
  @compute @workgroup_size(64)
  fn part0(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass0(id, start + id, min(start + layer.span, layer.size));
    gather0(id);
    if (id == 0u) {
      cells[layer.partials + group.x] = bin0[0];
      cells[layer.partials + layer.parts + group.x] = bin1[0];
    }
  }
  @compute @workgroup_size(64)
  fn meet0(@builtin(local_invocation_index) id: u32) {
    bin0[id] = collect_sum(id, layer.partials, layer.parts);
    bin1[id] = collect_sum(id, layer.partials + layer.parts, layer.parts);
    gather0(id);
    if (id == 0u) { finish0(); }
  }
  fn pass1(id: u32, first: u32, end: u32) {
    let mu = layer.s[0].x;
    let lr_rate = cells[layer.at + 3u];
    let decay = layer.s[0].z;
    for (var i = first; i < end; i += 64u) {
      let w = w_[i];
      let v = v_[i];
      let g = g_[i];
      let v_2 = mu * v + lr_rate * (g + decay * w); // v := μ * v + lr * rate * (g + decay * w
      let w_2 = w - v_2; // w := w -
      w_[i] = w_2;
      v_[i] = v_2;
    }
  }
  @compute @workgroup_size(64)
  fn part1(@builtin(local_invocation_index) id: u32, @builtin(workgroup_id) group: vec3u) {
    let start = group.x * layer.span;
    pass1(id, start + id, min(start + layer.span, layer.size));
  }
  @compute @workgroup_size(64)
  fn whole0(@builtin(local_invocation_index) id: u32) {
    pass0(id, id, layer.size);
    gather0(id);
    if (id == 0u) { finish0(); }
    storageBarrier();
    workgroupBarrier();
    pass1(id, id, layer.size);
  }
  `
}

export default webgpu({
  variants: [webgpuLARS0, webgpuLARS1]
})
