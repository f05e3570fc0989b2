//! As much of the Redis protocol (RESP2) as it takes to ask one question with a one-line answer.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// Sends one command over a fresh connection; the first line of the answer, with its type mark.
pub(crate) fn ask(socket: &Path, password: Option<&str>, command: &[&str]) -> io::Result<String> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    if let Some(password) = password {
        stream.write_all(&encode(&["AUTH", password]))?;
        read_line(&mut answers)?;
    }
    stream.write_all(&encode(command))?;
    read_line(&mut answers)
}

fn encode(command: &[&str]) -> Vec<u8> {
    let words = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", command.len(), words.collect::<String>()).into_bytes()
}

fn read_line(answers: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
