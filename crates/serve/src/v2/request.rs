//! The JSON of a request for inference, and the tensors behind it.

use super::datatype::Datatype;
use crate::scan::Scan;
use serde_json::{Map, Value};

/// Largest rank of a tensor.
const MAX_RANK: usize = 16;
/// Most outputs that a request may name.
const MAX_OUTPUTS: usize = 1000;

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Request {
    pub id: Option<String>,
    pub inputs: Vec<Input>,
    /// `None`: all.
    pub outputs: Option<Vec<Wanted>>,
    /// Whether outputs are sent as bytes where they do not say.
    pub binary: bool,
}

/// A tensor that was sent.
#[derive(Debug, PartialEq)]
pub(super) struct Input {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A tensor that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub name: String,
    pub binary: Option<bool>,
}

type Parameters = Map<String, Value>;

impl Request {
    /// Reads a body: JSON, and behind its `json` bytes the binary tensors; all of it is JSON where there is no such number.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(body: &[u8], json: Option<usize>) -> Result<Self, String> {
        let length = json.unwrap_or(body.len());
        let Some((text, mut tail)) = body.split_at_checked(length) else {
            return Err(format!("Inference-Header-Content-Length is {length}, but the body has {} bytes", body.len()));
        };
        let mut scan = Scan::new(text);
        let mut request = Self::default();
        let mut inputs: Option<Vec<Sent>> = None;
        scan.object(|scan, key| {
            match key {
                "id" => request.id = Some(scan.value().map_err(|_| "id: expected a string")?),
                "inputs" if inputs.is_some() => return Err("inputs: are there twice".into()),
                "inputs" => inputs = Some(read_inputs(scan)?),
                "outputs" if request.outputs.is_some() => return Err("outputs: are there twice".into()),
                "outputs" => request.outputs = Some(read_outputs(scan)?),
                "parameters" => {
                    let parameters = scan.value::<Parameters>().map_err(|e| format!("parameters: {e}"))?;
                    request.binary = flag(&parameters, "binary_data_output")?.unwrap_or(false);
                }
                _ => scan.skip()?,
            }
            Ok(())
        })?;
        scan.end()?;
        let binary = json.is_some();
        for sent in inputs.ok_or("inputs: are missing; expected a list of tensors")? {
            let name = sent.name.clone();
            request.inputs.push(sent.finish(text, &mut tail, binary).map_err(|e| format!("inputs: {name}: {e}"))?);
        }
        if !tail.is_empty() {
            return Err(format!("{} bytes behind the JSON belong to no input with parameters.binary_data_size", tail.len()));
        }
        Ok(request)
    }
}

/// An input as it was sent, before its values are read: its keys may come in any order.
#[derive(Debug, Default)]
struct Sent {
    name: String,
    shape: Option<Vec<usize>>,
    datatype: Option<Datatype>,
    size: Option<usize>,
    data: Data,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    /// Where it stands in the text.
    At(usize),
    Read(Vec<f32>),
}

fn read_inputs(scan: &mut Scan<'_>) -> Result<Vec<Sent>, String> {
    let mut inputs = Vec::new();
    scan.list(|scan, index| {
        let (mut sent, mut name) = (Sent::default(), None);
        let failed = |e: String| format!("inputs: {index}: {e}");
        let object = scan.object(|scan, key| {
            match key {
                "name" => name = Some(scan.value::<String>().map_err(|_| "name: expected a string")?),
                "shape" => sent.shape = Some(scan.value().map_err(|_| "shape: expected a list of whole numbers")?),
                "datatype" => {
                    let name: String = scan.value().map_err(|_| "datatype: expected a string")?;
                    sent.datatype = Some(Datatype::named(&name)?);
                }
                "parameters" => sent.size = binary_size(&scan.value().map_err(|e| format!("parameters: {e}"))?)?,
                "data" => sent.data = sent.read(scan)?,
                _ => scan.skip()?,
            }
            Ok(())
        });
        object.map_err(failed)?;
        sent.name = name.ok_or_else(|| failed("name: is missing".into()))?;
        inputs.push(sent);
        Ok(())
    })?;
    Ok(inputs)
}

fn read_outputs(scan: &mut Scan<'_>) -> Result<Vec<Wanted>, String> {
    let mut outputs: Vec<Wanted> = Vec::new();
    scan.list(|scan, index| {
        let (mut name, mut binary) = (None, None);
        let object = scan.object(|scan, key| {
            match key {
                "name" => name = Some(scan.value::<String>().map_err(|_| "name: expected a string")?),
                "parameters" => {
                    let parameters = scan.value::<Parameters>().map_err(|e| format!("parameters: {e}"))?;
                    binary = flag(&parameters, "binary_data")?;
                    if let Some(other) = parameters.keys().find(|key| key.as_str() != "binary_data") {
                        return Err(format!("parameters: {other} is not known; expected binary_data"));
                    }
                }
                _ => scan.skip()?,
            }
            Ok(())
        });
        object.map_err(|e| format!("outputs: {index}: {e}"))?;
        let name = name.ok_or_else(|| format!("outputs: {index}: name: is missing"))?;
        // Each is compared with all before it.
        if outputs.len() == MAX_OUTPUTS {
            return Err(format!("outputs: has more than {MAX_OUTPUTS} entries"));
        }
        if outputs.iter().any(|output| output.name == name) {
            return Err(format!("outputs: {name}: is there twice"));
        }
        outputs.push(Wanted { name, binary });
        Ok(())
    })?;
    Ok(outputs)
}

fn flag(parameters: &Parameters, key: &str) -> Result<Option<bool>, String> {
    let one = |value: &Value| value.as_bool().ok_or_else(|| format!("parameters: {key}: expected true or false, got {value}"));
    parameters.get(key).map(one).transpose()
}

fn binary_size(parameters: &Parameters) -> Result<Option<usize>, String> {
    if let Some(key) = parameters.keys().find(|key| key.starts_with("shared_memory")) {
        return Err(format!("parameters: {key}: shared memory is not read; send the data"));
    }
    let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
    let one = |value: &Value| {
        size(value).ok_or_else(|| format!("parameters: binary_data_size: expected a number of bytes, got {value}"))
    };
    parameters.get("binary_data_size").map(one).transpose()
}

impl Sent {
    /// Reads `data`, or keeps where it stands until all is known.
    fn read(&self, scan: &mut Scan<'_>) -> Result<Data, String> {
        match (&self.shape, self.datatype) {
            (Some(shape), Some(datatype)) => values(scan, shape, datatype).map(Data::Read).map_err(|e| format!("data: {e}")),
            _ => {
                let place = scan.place_of_next();
                scan.skip()?;
                Ok(Data::At(place))
            }
        }
    }

    fn finish(self, text: &[u8], tail: &mut &[u8], binary: bool) -> Result<Input, String> {
        let shape = self.shape.ok_or("shape: is missing")?;
        let datatype = self.datatype.ok_or("datatype: is missing")?;
        let count = count(&shape)?;
        let values = match (self.data, self.size) {
            (Data::Read(values), None) => values,
            (Data::At(place), None) => {
                values(&mut Scan::starting(text, place), &shape, datatype).map_err(|e| format!("data: {e}"))?
            }
            (Data::None, Some(_)) if !binary => {
                return Err("has binary_data_size, but the request has no header Inference-Header-Content-Length".into());
            }
            (Data::None, Some(size)) => {
                if count.checked_mul(datatype.size) != Some(size) {
                    return Err(format!("binary_data_size {size} does not fit shape {shape:?} of {}", datatype.name));
                }
                let missing = || format!("binary_data_size is {size}, but only {} bytes are left in the body", tail.len());
                let (bytes, rest) = tail.split_at_checked(size).ok_or_else(missing)?;
                *tail = rest;
                datatype.decode(bytes)?
            }
            (Data::None, None) => return Err("data: is missing".into()),
            (_, Some(_)) => return Err("has both data and binary_data_size; send one of them".into()),
        };
        if values.len() != count {
            return Err(format!("data: has {} values, but shape {shape:?} has {count}", values.len()));
        }
        Ok(Input { name: self.name, shape, values })
    }
}

/// The numbers of a flat list, or of lists of this shape.
fn values(scan: &mut Scan<'_>, shape: &[usize], datatype: Datatype) -> Result<Vec<f32>, String> {
    count(shape)?;
    let mut nested = false;
    let mut values = Vec::new();
    // The first element tells which it is.
    let mut ahead = scan.clone();
    ahead
        .list(|scan, _| {
            nested = scan.peek() == Some(b'[');
            Err(String::new())
        })
        .ok();
    if nested {
        scan.nested(shape, &mut values, datatype.number)?;
    } else {
        scan.list(|scan, _| {
            values.push((datatype.number)(scan)?);
            Ok(())
        })?;
    }
    Ok(values)
}

fn count(shape: &[usize]) -> Result<usize, String> {
    let product = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    match product {
        Some(count) if !shape.is_empty() && shape.len() <= MAX_RANK => Ok(count),
        _ => Err(format!(
            "shape: expected 1 to {MAX_RANK} sides whose product is no astronomical number, got {} sides",
            shape.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, String> {
        Request::parse(text.as_bytes(), None)
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err()
    }

    #[test]
    fn keys_come_in_any_order_and_data_flat_or_nested() {
        let shape = r#""name":"x","shape":[2,2],"datatype":"FP32""#;
        let flat = parse(&format!(r#"{{"id":"7","inputs":[{{{shape},"data":[1,2,3,4]}}]}}"#)).unwrap();
        assert_eq!(
            (flat.id.as_deref(), &flat.inputs[0].shape, &flat.inputs[0].values),
            (Some("7"), &vec![2, 2], &vec![1.0, 2.0, 3.0, 4.0])
        );
        let nested = parse(&format!(r#"{{"inputs":[{{"data":[[1,2],[3,4]],{shape}}}],"id":"7"}}"#)).unwrap();
        assert_eq!(nested, flat);
    }

    #[test]
    fn tensors_behind_the_text() {
        let text = r#"{"inputs":[{"name":"x","shape":[2],"datatype":"UINT8","parameters":{"binary_data_size":2}},{"name":"y","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}],"parameters":{"binary_data_output":true}}"#;
        let body = [text.as_bytes(), &[7, 9], &0.5f32.to_le_bytes()].concat();
        let request = Request::parse(&body, Some(text.len())).unwrap();
        assert_eq!((&request.inputs[0].values, &request.inputs[1].values, request.binary), (&vec![7.0, 9.0], &vec![0.5], true));
        let error = |body: &[u8], json| Request::parse(body, json).unwrap_err();
        assert!(error(&body[..body.len() - 1], Some(text.len())).contains("only 3 bytes are left"));
        assert!(error(&[&body[..], &[0]].concat(), Some(text.len())).contains("1 bytes behind the JSON"));
        assert!(error(&body, Some(body.len() + 1)).contains("Inference-Header-Content-Length is"));
        assert!(error(text.as_bytes(), None).contains("no header Inference-Header-Content-Length"));
    }

    #[test]
    fn mistakes_are_named() {
        let input = |rest: &str| error(&format!(r#"{{"inputs":[{{"name":"x",{rest}}}]}}"#));
        assert_eq!(error("{}"), "inputs: are missing; expected a list of tensors");
        assert_eq!(error(r#"{"inputs":[{}]}"#), "inputs: 0: name: is missing");
        assert_eq!(input(r#""shape":[2],"datatype":"FP32","data":[1]"#), "inputs: x: data: has 1 values, but shape [2] has 2");
        assert!(input(r#""shape":[-1],"datatype":"FP32","data":[1]"#).contains("shape: expected a list of whole numbers"));
        assert!(input(r#""shape":[9999999999,9999999999],"datatype":"FP32","data":[1]"#).contains("no astronomical number"));
        assert!(input(r#""shape":[1],"datatype":"FP32","data":[NaN]"#).contains("NaN or Infinity"));
        assert!(input(r#""shape":[1,2],"datatype":"FP32","data":[[1,2],[3,4]]"#).contains("more than 1 at level: 0"));
        assert!(
            input(r#""shape":[1],"datatype":"FP32","data":[1],"parameters":{"binary_data_size":4}"#).contains("send one of them")
        );
        assert!(error(r#"{"inputs":[],"outputs":[{"name":"a"},{"name":"a"}]}"#).contains("a: is there twice"));
    }
}
