//! Answers in XML. Nothing is fetched or put in for what they name: a document type is refused, and of entities only those that
//! XML itself has mean something.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// No answer is nested deeper.
const DEEPEST: usize = 64;
/// No answer has more elements.
const MOST: usize = 200_000;

/// An element, without its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// A document's outermost element; none if it is no XML, or more than any answer.
pub fn parse(bytes: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_reader(bytes);
    let (mut open, mut count) = (vec![Element::default()], 0);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(begun(&start)?),
            Event::Empty(start) => open.last_mut()?.children.push(begun(&start)?),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text += &text.decode().ok()?,
            Event::CData(text) => open.last_mut()?.text += &text.decode().ok()?,
            Event::GeneralRef(entity) => {
                let letter = match entity.resolve_char_ref().ok()? {
                    Some(letter) => letter,
                    None => letter(&entity.decode().ok()?)?,
                };
                open.last_mut()?.text.push(letter);
            }
            Event::DocType(_) => return None,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
        count += 1;
        if open.len() > DEEPEST || count > MOST {
            return None;
        }
    }
    let [document] = <[Element; 1]>::try_from(open).ok()?;
    document.children.into_iter().next()
}

fn letter(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn begun(start: &BytesStart<'_>) -> Option<Element> {
    let local = |name: &[u8]| String::from_utf8(name.to_vec()).ok();
    let mut element = Element { name: local(start.local_name().as_ref())?, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
        element.attributes.push((local(attribute.key.local_name().as_ref())?, value));
    }
    Some(element)
}

impl Element {
    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        let own = size_of::<Self>() + self.name.len() + self.text.len() + attributes;
        own + self.children.iter().map(Self::bytes).sum::<usize>()
    }

    /// The children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child along a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.children.iter().find(|child| child.name == *name))
    }

    /// The first child of any name.
    pub fn first(&self) -> Option<&Element> {
        self.children.first()
    }

    /// The text of the first child along a path, if there is any.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|element| element.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(told, _)| told == name).map(|(_, value)| value.as_str())
    }

    /// All elements of a name within, however deep.
    pub fn within<'a>(&'a self, name: &str, out: &mut Vec<&'a Element>) {
        for child in &self.children {
            if child.name == name {
                out.push(child);
            }
            child.within(name, out);
        }
    }
}

/// Text as it stands in XML.
pub fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let xml =
            "<?xml version='1.0'?><a:x xmlns:a='u'><a:y t='1 &amp; 2'>b &lt; <![CDATA[<c>]]>&#33;</a:y><y/></a:x>";
        let x = parse(xml.as_bytes()).unwrap();
        assert_eq!((x.name.as_str(), x.all("y").count()), ("x", 2));
        assert_eq!(x.text(&["y"]), Some("b < <c>!"));
        assert_eq!(x.at(&["y"]).unwrap().attribute("t"), Some("1 & 2"));
    }

    #[test]
    fn what_is_no_answer() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>";
        let deep = format!("{}{}", "<x>".repeat(100), "</x>".repeat(100));
        for xml in [bomb, &deep, "<x>&b;</x>", "<x a='&b;'/>", "<x>", "<x></y>", "", "text", "<x>\u{1}&#0;</x>"] {
            assert_eq!(parse(xml.as_bytes()), None, "{xml}");
        }
    }
}
